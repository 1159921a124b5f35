import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'

/** `mean(|yTrue - yPred|)` over the last axis. */
export function meanAbsoluteError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  return ops.mean(ops.abs(ops.subtract(t, p)), { axis: -1 })
}

/** The mean over the last axis of `|yTrue - yPred|`. */
export class MeanAbsoluteError extends builtInLoss('MeanAbsoluteError', 'mean_absolute_error', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsoluteError(yTrue, yPred)
  }
}
registerObject('keras.losses', MeanAbsoluteError, 'mean_absolute_error', 'mae', 'MAE')
