import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { logCosh } from '../losses/log-cosh.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean of `log(cosh(yPred - yTrue))`. */
export class LogCoshError extends builtInMetric('LogCoshError', 'logcosh', {}, MeanOf) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return logCosh(yTrue, yPred)
  }
}
registerObject('keras.metrics', LogCoshError, 'logcosh', 'log_cosh_error')
