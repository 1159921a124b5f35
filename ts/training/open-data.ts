import { ConfigError, DataError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import type { Structure } from '../core/tree.ts'
import type { Compiled } from './compile.ts'
import { ArraySource, type Shuffle } from './data/array-source.ts'
import { IterableSource } from './data/iterable-source.ts'
import { readInputs, rowsOf } from './data/read.ts'
import type { Source } from './data/source.ts'
import { isBatches, type Batches } from './data/types.ts'
import { splitColumns } from './data/validation-split.ts'
import type { FitData, ValidationData } from './fit.ts'
import type { InputPlace } from './outputs.ts'
import { readColumns, type GivenData, type ReadColumns } from './reader.ts'
import type { Trainable } from './trainable.ts'

/** Batches with what programs are traced for, which is known once the first batch was read. */
export interface Opened {
  readonly source: Source
  readonly places: () => Structure<InputPlace>
}

/** Whose data it is. */
export interface Reading {
  /** In front of messages. */
  readonly owner: string
  readonly model: Trainable
  readonly compiled: Compiled
  readonly classWeight?: ReadonlyMap<number, number> | undefined
}

/** How arrays are cut into batches. */
export interface Cutting {
  readonly batchSize: number | undefined
  /** The number of batches wanted, from which the size follows where it was left out. */
  readonly steps: number | undefined
  readonly shuffle?: Shuffle
  /** The share of the samples that is set aside to measure on. */
  readonly split?: number
  /** Whether arrays stay as they are until the first batch is cut. */
  readonly lasting?: boolean
}

/** Opens arrays, and the samples that are set aside. */
export function openArrays(
  reading: Reading,
  data: GivenData,
  cutting: Cutting,
): Opened & { readonly aside: ReadColumns | undefined } {
  const { owner } = reading
  const read = readColumns(reading.model, reading.compiled, data, reading.classWeight)
  const rows = rowsOf(owner, read)
  if (rows === 0) throw new DataError(`${owner}: expected at least one sample, received none`)
  const { split = 0, shuffle = false } = cutting
  const [columns, aside] = split > 0 ? splitColumns(owner, read, rows, split) : [read, undefined]
  return { ...openColumns(columns, cutting, shuffle), aside }
}

/** Opens columns. */
export function openColumns(columns: ReadColumns, { batchSize, steps }: Cutting, shuffle: Shuffle = false): Opened {
  const rows = columns.inputs[0]?.rows ?? 0
  const size = batchSize ?? (steps === undefined ? 32 : Math.max(1, Math.ceil(rows / steps)))
  return { source: new ArraySource(columns, rows, size, shuffle), places: () => columns.places }
}

/** Opens an iterable of batches. */
export function openBatches({ owner, model, compiled, classWeight }: Reading, batches: Batches): Opened {
  let latest: ReadColumns | undefined
  const source = new IterableSource(owner, batches, ([x, y, sampleWeight]) => {
    latest = readColumns(model, compiled, { x, y, sampleWeight }, classWeight)
    return latest
  })
  return { source, places: () => (latest as ReadColumns).places }
}

/** Opens data to measure on after epochs. */
export function openValidation(reading: Reading, data: ValidationData, cutting: Cutting): Opened {
  const inner = { ...reading, owner: `${reading.owner}: validationData`, classWeight: undefined }
  if (isBatches(data)) return openBatches(inner, data)
  if (!Array.isArray(data) || data.length < 1 || data.length > 3) {
    throw new ConfigError(
      `${reading.owner}: 'validationData' must be [x, y], [x, y, sampleWeight] or an iterable of batches. Received: ${show(data)}`,
    )
  }
  const [x, y, sampleWeight] = data as readonly unknown[]
  return openArrays(inner, { x, y, sampleWeight }, cutting)
}

/** Opens inputs only; targets that batches of an iterable hold are left aside. */
export function openInputs(owner: string, model: Trainable, x: FitData, cutting: Cutting): Opened {
  if (!isBatches(x)) {
    const { columns, places } = readInputs(model, x)
    const all = { inputs: columns, targets: [], weights: [], places }
    const opened = openColumns(all, cutting)
    rowsOf(owner, all)
    if (cutting.lasting && opened.source.steps === 1) return opened
    return openColumns({ ...all, inputs: columns.map((column) => column.snapshot()) }, cutting)
  }
  let latest: Structure<InputPlace> | undefined
  const source = new IterableSource(owner, x, ([inputs]) => {
    const { columns, places } = readInputs(model, inputs)
    latest = places
    return { inputs: columns, targets: [], weights: [] }
  })
  return { source, places: () => latest as Structure<InputPlace> }
}
