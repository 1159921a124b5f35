import { ConfigError, DataError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import type { Columns } from './read.ts'

/**
 * Cuts the last samples off, as they stand before mixing.
 *
 * @param split The share that is cut off, 0 to 1.
 */
export function splitColumns<C extends Columns>(
  owner: string,
  columns: C,
  rows: number,
  split: number,
): [training: C, validation: C] {
  const at = Math.floor(rows * (1 - split))
  if (at === 0 || at === rows) {
    throw new DataError(
      `${owner}: a validationSplit of ${split} leaves ${at === 0 ? 'nothing to train with' : 'nothing to measure on'} of ${rows} samples`,
    )
  }
  return [part(columns, 0, at), part(columns, at, rows)]
}

function part<C extends Columns>(columns: C, start: number, end: number): C {
  return {
    ...columns,
    inputs: columns.inputs.map((column) => column.part(start, end)),
    targets: columns.targets.map((column) => column?.part(start, end)),
    weights: columns.weights.map((column) => column?.part(start, end)),
  }
}

/** The share that an option means; 0 where it was left out. */
export function parseSplit(owner: string, value: unknown): number {
  if (value === undefined || value === null) return 0
  if (typeof value === 'number' && value >= 0 && value < 1) return value
  throw new ConfigError(`${owner}: 'validationSplit' must be a number >= 0 and < 1. Received: ${show(value)}`, {
    option: 'validationSplit',
  })
}
