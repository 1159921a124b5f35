import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import type { Masks } from './layer.ts'
import { maskList, ofOneRank, overFeatures, tensorList } from './merge.ts'

/** Combines a list of tensors two by two; where one of the two is masked the other is taken. */
export function heedingMasks(
  inputs: readonly SymbolicTensor[],
  mask: Masks,
  combine: (a: SymbolicTensor, b: SymbolicTensor) => SymbolicTensor,
): SymbolicTensor {
  const masks = maskList(tensorList(inputs), mask)
  const list = ofOneRank(inputs)
  let result = list[0] as SymbolicTensor
  let resultMask = masks[0] && overFeatures(masks[0], result)
  for (let i = 1; i < list.length; i++) {
    const next = list[i] as SymbolicTensor
    const nextMask = masks[i] && overFeatures(masks[i] as SymbolicTensor, next)
    const visible = nextMask ? ops.where(nextMask, next, result) : next
    if (resultMask) result = ops.where(resultMask, result, visible)
    result = combine(result, visible)
    resultMask = resultMask && nextMask ? ops.logicalOr(resultMask, nextMask) : undefined
  }
  return result
}
