import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { CallContext, Masks } from './layer.ts'
import { eitherMask, maskList, ofOneRank, overFeatures, tensorList } from './merge.ts'

/**
 * The product of a list of tensors. Extents broadcast; tensors of lower rank get axes of extent 1 behind the batch.
 * Masked places count as 1; where every input is masked the result is 0.
 */
export class Multiply extends configured('Multiply', {}) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[], { mask }: CallContext): SymbolicTensor {
    const masks = maskList(tensorList(inputs), mask)
    const list = ofOneRank(inputs)
    const factors = list.map((x, i) => (masks[i] ? ops.where(overFeatures(masks[i], x), x, 1) : x))
    const product = factors.reduce((a, b) => ops.multiply(a, b))
    const either = eitherMask(inputs, mask) as SymbolicTensor | undefined
    return either ? ops.where(overFeatures(either, product), product, 0) : product
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    return eitherMask(inputs, mask)
  }
}
