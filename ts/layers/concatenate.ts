import { integer } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'
import { maskList, overFeatures, tensorList } from './merge.ts'

/** A list of tensors one after the other along `axis` (-1). All other extents must be equal. */
export class Concatenate extends configured('Concatenate', { axis: integer({ default: -1 }) }) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    return ops.concatenate(tensorList(inputs), this.config.axis)
  }

  override computeMask(inputs: readonly SymbolicTensor[], mask: Masks): Masks {
    const masks = maskList(inputs, mask)
    if (masks.every((m) => m === undefined)) return undefined
    const full = inputs.map((x, i) => {
      const own = masks[i]
      return own ? ops.logicalAnd(overFeatures(own, x), ops.onesLike(x, 'bool')) : ops.onesLike(x, 'bool')
    })
    return ops.any(ops.concatenate(full, this.config.axis), { axis: -1 })
  }
}
