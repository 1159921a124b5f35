import { ShapeError } from '../core/errors.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import type { Masks } from './layer.ts'

/**
 * The list of tensors that a merging layer was called on.
 *
 * @param exactly How many there must be; left out, one or more.
 * @throws ShapeError when it was called on something else.
 */
export function tensorList(inputs: Structure<SymbolicTensor>, exactly?: number): SymbolicTensor[] {
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((x) => x instanceof SymbolicTensor)) {
    throw new ShapeError(`expected an array of tensors, received ${inputs instanceof SymbolicTensor ? 'one tensor' : 'another structure'}`)
  }
  if (exactly !== undefined && inputs.length !== exactly) throw new ShapeError(`expected ${exactly} tensors, received ${inputs.length}`)
  return inputs
}

/** Tensors of one rank: those of lower rank get axes of extent 1 behind the batch. */
export function ofOneRank(inputs: readonly SymbolicTensor[]): SymbolicTensor[] {
  const batches = new Set(inputs.map((x) => x.shape[0]).filter((extent) => extent !== null && extent !== undefined))
  if (batches.size > 1) {
    throw new ShapeError(`expected tensors with one batch size, received ${inputs.map((x) => formatShape(x.shape)).join(' and ')}`)
  }
  const rank = Math.max(...inputs.map((x) => x.rank))
  return inputs.map((x) => {
    let raised = x
    while (raised.rank < rank) raised = ops.expandDims(raised, Math.min(1, raised.rank))
    return raised
  })
}

/** A mask with trailing axes, so that it broadcasts over the features of `x`. */
export function overFeatures(mask: SymbolicTensor, x: SymbolicTensor): SymbolicTensor {
  let wide = mask
  while (wide.rank < x.rank) wide = ops.expandDims(wide, -1)
  return wide
}

/** The mask of each input of a merging layer. */
export function maskList(inputs: readonly SymbolicTensor[], masks: Masks): (SymbolicTensor | undefined)[] {
  return Array.isArray(masks) ? (masks as (SymbolicTensor | undefined)[]) : inputs.map(() => undefined)
}

/** What counts in any of the inputs; no mask when one of them has none. */
export function eitherMask(inputs: Structure<SymbolicTensor>, masks: Masks): Masks {
  const list = maskList(tensorList(inputs), masks)
  if (!list.every((mask) => mask !== undefined)) return undefined
  return list.reduce((a, b) => ops.logicalOr(a, b))
}
