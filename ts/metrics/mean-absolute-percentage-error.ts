import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { meanAbsolutePercentageError } from '../losses/mean-absolute-percentage-error.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `100 * |yTrue - yPred| / |yTrue|`. */
export class MeanAbsolutePercentageError extends builtInMetric(
  'MeanAbsolutePercentageError',
  'mean_absolute_percentage_error',
  {},
  MeanOf,
) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsolutePercentageError(yTrue, yPred)
  }
}
registerObject('keras.metrics', MeanAbsolutePercentageError, 'mean_absolute_percentage_error', 'mape', 'MAPE')
