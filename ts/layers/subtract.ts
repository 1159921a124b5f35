import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'
import { eitherMask, ofOneRank, tensorList } from './merge.ts'

/** The first of two tensors minus the second. Extents broadcast; tensors of lower rank get axes of extent 1 behind the batch. */
export class Subtract extends configured('Subtract', {}) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const [a, b] = ofOneRank(tensorList(inputs, 2)) as [SymbolicTensor, SymbolicTensor]
    return ops.subtract(a, b)
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    return eitherMask(inputs, mask)
  }
}
