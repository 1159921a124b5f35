import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'

/** Passes its input on: a tensor or a structure of them, with their masks. */
export class Identity extends configured('Identity', {}) {
  override supportsMasking = true

  override computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks): Masks {
    return mask
  }
}
