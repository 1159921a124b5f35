import type { Tensor } from '../../native/tensor.ts'
import type { Column } from './column.ts'
import type { Columns } from './read.ts'

/** The tensors of one step; targets and weights in the flat order of the outputs. */
export interface StepBatch {
  readonly rows: number
  readonly inputs: readonly Tensor[]
  readonly targets: readonly (Tensor | undefined)[]
  readonly weights: readonly (Tensor | undefined)[]
}

/**
 * Rows `start..end - 1` of an order, or of the rows as they stand, as tensors that borrow the columns' memory: until the
 * next rows are cut.
 */
export function cut(columns: Columns, start: number, end: number, order?: Uint32Array): StepBatch {
  const take = (column: Column): Tensor => column.take(start, end, order)
  const optional = (column: Column | undefined): Tensor | undefined => column && take(column)
  return {
    rows: end - start,
    inputs: columns.inputs.map(take),
    targets: columns.targets.map(optional),
    weights: columns.weights.map(optional),
  }
}
