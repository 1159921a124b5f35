import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { squaredHinge } from '../losses/squared-hinge.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `max(1 - yTrue * yPred, 0)^2`, targets -1 and 1 or 0 and 1. */
export class SquaredHinge extends builtInMetric('SquaredHinge', 'squared_hinge', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return squaredHinge(yTrue, yPred)
  }
}
registerObject('keras.metrics', SquaredHinge, 'squared_hinge')
