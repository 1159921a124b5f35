import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/** Whether fewer than `k` elements of the last axis are larger than the one that `ids` names; 1 or 0. */
export function inTopK(ids: SymbolicTensor, yPred: SymbolicTensor, k: number): SymbolicTensor {
  const named = ops.takeAlongAxis(yPred, ops.expandDims(ops.cast(ids, 'int32'), -1), -1)
  const larger = ops.sum(ops.cast(ops.greater(yPred, named), 'int32'), { axis: -1 })
  return ops.cast(ops.less(larger, k), 'float32')
}
