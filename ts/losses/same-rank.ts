import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/**
 * Two tensors whose ranks differ by one trailing extent of 1, brought to one rank as Keras does: a rank of 1 is
 * expanded, otherwise the extent is dropped. Others are returned as they are.
 */
export function sameRank(a: SymbolicTensor, b: SymbolicTensor): [SymbolicTensor, SymbolicTensor] {
  if (a.rank === b.rank + 1 && a.shape.at(-1) === 1) {
    return b.rank === 1 ? [a, ops.expandDims(b, -1)] : [ops.squeeze(a, -1), b]
  }
  if (b.rank === a.rank + 1 && b.shape.at(-1) === 1) {
    return a.rank === 1 ? [ops.expandDims(a, -1), b] : [a, ops.squeeze(b, -1)]
  }
  return [a, b]
}

/** The same for values and their weights; weights of a lower rank then belong to the leading axes of the values. */
export function weightsLike(values: SymbolicTensor, weights: SymbolicTensor): [SymbolicTensor, SymbolicTensor] {
  let [x, w] = sameRank(values, weights)
  while (w.rank < x.rank) w = ops.expandDims(w, -1)
  return [x, w]
}
