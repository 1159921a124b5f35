import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { meanAbsoluteError } from '../losses/mean-absolute-error.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `|yTrue - yPred|`. */
export class MeanAbsoluteError extends builtInMetric('MeanAbsoluteError', 'mean_absolute_error', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsoluteError(yTrue, yPred)
  }
}
registerObject('keras.metrics', MeanAbsoluteError, 'mean_absolute_error', 'mae', 'MAE')
