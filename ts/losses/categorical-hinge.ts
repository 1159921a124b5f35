import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'

/** `max(max((1 - yTrue) * yPred) - sum(yTrue * yPred) + 1, 0)` over the last axis. */
export function categoricalHinge(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  const right = ops.sum(ops.multiply(t, p), { axis: -1 })
  const wrong = ops.max(ops.multiply(ops.subtract(1, t), p), { axis: -1 })
  return ops.maximum(ops.add(ops.subtract(wrong, right), 1), 0)
}

/** How far the best wrong class comes above the right one less a margin of 1; targets are one-hot. */
export class CategoricalHinge extends builtInLoss('CategoricalHinge', 'categorical_hinge', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalHinge(yTrue, yPred)
  }
}
registerObject('keras.losses', CategoricalHinge, 'categorical_hinge')
