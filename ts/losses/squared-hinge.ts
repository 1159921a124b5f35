import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'
import { signs } from './signs.ts'

/** `mean(max(1 - yTrue * yPred, 0)^2)` over the last axis. */
export function squaredHinge(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  return ops.mean(ops.square(ops.maximum(ops.subtract(1, ops.multiply(signs(t), p)), 0)), { axis: -1 })
}

/** The mean over the last axis of `max(1 - yTrue * yPred, 0)^2`. Targets are -1 and 1; if all are 0 and 1 they are taken as such. */
export class SquaredHinge extends builtInLoss('SquaredHinge', 'squared_hinge', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return squaredHinge(yTrue, yPred)
  }
}
registerObject('keras.losses', SquaredHinge, 'squared_hinge')
