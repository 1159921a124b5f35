import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'

/** `mean((yTrue - yPred)^2)` over the last axis. */
export function meanSquaredError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  return ops.mean(ops.square(ops.subtract(t, p)), { axis: -1 })
}

/** The mean over the last axis of `(yTrue - yPred)^2`. */
export class MeanSquaredError extends builtInLoss('MeanSquaredError', 'mean_squared_error', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredError(yTrue, yPred)
  }
}
registerObject('keras.losses', MeanSquaredError, 'mean_squared_error', 'mse', 'MSE')
