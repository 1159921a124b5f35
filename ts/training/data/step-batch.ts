import type { Tensor } from '../../native/tensor.ts'
import type { Column } from './column.ts'
import type { Columns } from './read.ts'

/** The tensors of one step; targets and weights in the flat order of the outputs. */
export interface StepBatch {
  readonly rows: number
  readonly inputs: readonly Tensor[]
  readonly targets: readonly (Tensor | undefined)[]
  readonly weights: readonly (Tensor | undefined)[]
  /** Frees the tensors that are not the caller's own. */
  dispose(): void
}

/** Rows `start..end - 1` of an order, or of the rows as they stand, as tensors. */
export function cut(columns: Columns, start: number, end: number, order?: Uint32Array): StepBatch {
  const owned: Tensor[] = []
  // Weights shared by several outputs are cut once.
  const known = new Map<Column, Tensor>()
  const take = (column: Column): Tensor => {
    const found = known.get(column)
    if (found) return found
    const tensor = column.take(start, end, order)
    known.set(column, tensor)
    if (order || !column.isBorrowed(start, end)) owned.push(tensor)
    return tensor
  }
  const optional = (column: Column | undefined): Tensor | undefined => column && take(column)
  return {
    rows: end - start,
    inputs: columns.inputs.map(take),
    targets: columns.targets.map(optional),
    weights: columns.weights.map(optional),
    dispose: () => {
      for (const tensor of owned) tensor.dispose()
    },
  }
}
