import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { sameRank } from './same-rank.ts'

/** `100 * mean(|yTrue - yPred| / max(|yTrue|, 1e-7))` over the last axis. */
export function meanAbsolutePercentageError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  const relative = ops.abs(ops.divide(ops.subtract(t, p), ops.maximum(ops.abs(t), epsilon)))
  return ops.multiply(ops.mean(relative, { axis: -1 }), 100)
}

/** The mean over the last axis of `100 * |yTrue - yPred| / max(|yTrue|, 1e-7)`. */
export class MeanAbsolutePercentageError extends builtInLoss(
  'MeanAbsolutePercentageError',
  'mean_absolute_percentage_error',
  {},
) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanAbsolutePercentageError(yTrue, yPred)
  }
}
registerObject('keras.losses', MeanAbsolutePercentageError, 'mean_absolute_percentage_error', 'mape', 'MAPE')
