import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { hinge } from '../losses/hinge.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `max(1 - yTrue * yPred, 0)`, targets -1 and 1 or 0 and 1. */
export class Hinge extends builtInMetric('Hinge', 'hinge', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return hinge(yTrue, yPred)
  }
}
registerObject('keras.metrics', Hinge, 'hinge')
