import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'
import { eitherMask, ofOneRank, tensorList } from './merge.ts'

/** The sum of a list of tensors. Extents broadcast; tensors of lower rank get axes of extent 1 behind the batch. */
export class Add extends configured('Add', {}) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    return ofOneRank(tensorList(inputs)).reduce((a, b) => ops.add(a, b))
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    return eitherMask(inputs, mask)
  }
}
