import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'
import { eitherMask, ofOneRank, tensorList } from './merge.ts'

/** The mean of a list of tensors. Extents broadcast; tensors of lower rank get axes of extent 1 behind the batch. Masked places count too. */
export class Average extends configured('Average', {}) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const list = ofOneRank(tensorList(inputs))
    return ops.divide(
      list.reduce((a, b) => ops.add(a, b)),
      list.length,
    )
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    return eitherMask(inputs, mask)
  }
}
