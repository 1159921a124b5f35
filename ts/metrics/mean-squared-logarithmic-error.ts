import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { meanSquaredLogarithmicError } from '../losses/mean-squared-logarithmic-error.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `(log(yTrue + 1) - log(yPred + 1))^2`. */
export class MeanSquaredLogarithmicError extends builtInMetric(
  'MeanSquaredLogarithmicError',
  'mean_squared_logarithmic_error',
  {},
  MeanOf,
) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredLogarithmicError(yTrue, yPred)
  }
}
registerObject('keras.metrics', MeanSquaredLogarithmicError, 'mean_squared_logarithmic_error', 'msle', 'MSLE')
