import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { heedingMasks } from './heeding-masks.ts'
import type { CallContext, Masks } from './layer.ts'
import { eitherMask } from './merge.ts'

/**
 * The smallest of each element of a list of tensors. Extents broadcast; tensors of lower rank get axes of extent 1 behind
 * the batch. Masked places are passed over.
 */
export class Minimum extends configured('Minimum', {}) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[], { mask }: CallContext): SymbolicTensor {
    return heedingMasks(inputs, mask, ops.minimum)
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    return eitherMask(inputs, mask)
  }
}
