import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { meanSquaredError } from '../losses/mean-squared-error.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `(yTrue - yPred)^2`. */
export class MeanSquaredError extends builtInMetric('MeanSquaredError', 'mean_squared_error', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredError(yTrue, yPred)
  }
}
registerObject('keras.metrics', MeanSquaredError, 'mean_squared_error', 'mse', 'MSE')
