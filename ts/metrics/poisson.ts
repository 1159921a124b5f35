import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { poisson } from '../losses/poisson.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `yPred - yTrue * log(yPred)`. */
export class Poisson extends builtInMetric('Poisson', 'poisson', {}, MeanOf) {
  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return poisson(yTrue, yPred)
  }
}
registerObject('keras.metrics', Poisson, 'poisson')
