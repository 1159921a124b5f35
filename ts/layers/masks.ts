import { SymbolicTensor } from '../core/symbolic.ts'
import { flatten, mapStructure, type Structure } from '../core/tree.ts'
import { Tensor } from '../native/tensor.ts'
import type { Trace } from '../native/trace.ts'
import type { Masks } from './layer-options.ts'

/** The masks that come with inputs; `undefined` where none does. */
export function masksOf(inputs: Structure<SymbolicTensor>): Masks {
  const masks = mapStructure(inputs, (input) => input.mask as unknown) as Masks
  return flatten(masks as Structure<unknown>).some((mask) => mask !== undefined) ? masks : undefined
}

function isMaskOrNone(value: unknown): boolean {
  return value === null || value === undefined || value instanceof SymbolicTensor || value instanceof Tensor
}

/** Masks that the caller gave: one, or a list with `null` where there is none. */
export function masksGiven(trace: Trace, given: unknown): Masks {
  const convert = (value: unknown): SymbolicTensor | undefined => (value === null || value === undefined ? undefined : trace.convert(value, 'bool'))
  return Array.isArray(given) && given.every(isMaskOrNone) ? given.map(convert) : convert(given)
}

/** The same tensors with other masks; the originals keep theirs. */
export function withMasks(outputs: Structure<SymbolicTensor>, masks: Masks): Structure<SymbolicTensor> {
  const list = masks === undefined || masks instanceof SymbolicTensor ? [masks] : flatten(masks as Structure<unknown>)
  let index = 0
  return mapStructure(outputs, (output) => {
    const mask = list[index++] as SymbolicTensor | undefined
    if (output.mask === mask) return output
    const copy = new SymbolicTensor(output.shape, output.dtype, output.name, output.origin)
    copy.mask = mask
    return copy
  })
}
