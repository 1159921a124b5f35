import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { categoricalHinge } from '../losses/categorical-hinge.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of the hinge loss of one-hot targets. */
export class CategoricalHinge extends builtInMetric('CategoricalHinge', 'categorical_hinge', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalHinge(yTrue, yPred)
  }
}
registerObject('keras.metrics', CategoricalHinge, 'categorical_hinge')
