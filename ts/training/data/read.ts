import { DataError } from '../../core/errors.ts'
import { flatten, isPlainObject, mapStructure, type Structure } from '../../core/tree.ts'
import type { TensorLike } from '../../native/tensor.ts'
import { inputPlaces, InputPlace, type Outputs } from '../outputs.ts'
import type { Trainable } from '../trainable.ts'
import { arrange, Place } from './arrange.ts'
import { Column } from './column.ts'
import { isTensorLike } from './types.ts'

/** The inputs of a model as columns, in flat order. */
export interface ReadInputs {
  readonly columns: readonly Column[]
  /** What a program is traced for: the model's own description, else what the data says. */
  readonly places: Structure<InputPlace>
}

/** Data for training or evaluation as columns; targets and weights in the flat order of the outputs. */
export interface Columns {
  readonly inputs: readonly Column[]
  readonly targets: readonly (Column | undefined)[]
  readonly weights: readonly (Column | undefined)[]
}

/** Reads data for the inputs of a model. */
export function readInputs(model: Trainable, given: unknown): ReadInputs {
  if (given === undefined || given === null)
    throw new DataError(`'${model.name}': expected data for the inputs, received ${String(given)}`)
  const places = inputPlaces(model)
  if (places === undefined) return readUndescribed(model, given)
  const values = arrange({ owner: `'${model.name}'`, noun: 'input' }, places, given)
  const columns = flatten(places).map((place, i) =>
    Column.from(`'${model.name}': input '${place.name}'`, values[i] as TensorLike, place),
  )
  return { columns, places }
}

/** Inputs of a model that takes whatever its `call` takes: the structure is that of the data. */
function readUndescribed(model: Trainable, given: unknown): ReadInputs {
  const columns: Column[] = []
  const structure = structureOf(given)
  const places = mapStructure(structure, ({ value }, path) => {
    const column = Column.from(`'${model.name}': input${path.length === 0 ? '' : ` '${path.join('.')}'`}`, value)
    columns.push(column)
    return new InputPlace(path.join('_') || 'input', [null, ...column.shape.slice(1)], column.dtype)
  })
  return { columns, places }
}

/** Data as a structure of leaves; nested arrays of numbers are one leaf. */
function structureOf(given: unknown): Structure<Leaf> {
  if (isTensorLike(given)) return new Leaf(given)
  if (Array.isArray(given)) return given.map(structureOf)
  if (isPlainObject(given))
    return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, structureOf(value)]))
  throw new DataError('expected arrays, tensors, or lists and objects of them')
}

class Leaf {
  readonly value: TensorLike

  constructor(value: TensorLike) {
    this.value = value
  }
}

/**
 * Reads targets for the outputs.
 *
 * @param needed Whether an output, by flat index, must have a target.
 */
export function readTargets(
  owner: string,
  outputs: Outputs,
  given: unknown,
  needed: (index: number) => boolean,
): (Column | undefined)[] {
  const places = outputs.flat.map(({ name }, i) => new Place(name, !needed(i)))
  if (given === undefined || given === null) {
    const first = places.find((place) => !place.optional)
    if (first)
      throw new DataError(`${owner}: expected targets, received none; output '${first.name}' has a loss or a metric`)
    return places.map(() => undefined)
  }
  return arrange({ owner, noun: 'output' }, arranged(outputs, places), given).map((value, i) =>
    value === undefined
      ? undefined
      : Column.from(`${owner}: targets of output '${places[i]?.name}'`, value as TensorLike),
  )
}

/** Reads weights of the samples: for each output, or one for all of them with one number for each sample. */
export function readWeights(owner: string, outputs: Outputs, given: unknown): (Column | undefined)[] {
  if (given === undefined || given === null) return outputs.flat.map(() => undefined)
  const label = (name: string): string => `${owner}: sample weights of output '${name}'`
  if (outputs.flat.length > 1 && isTensorLike(given)) {
    const shared = Column.from(`${owner}: sample weights`, given, { shape: [null], dtype: 'float32' })
    return outputs.flat.map(() => shared)
  }
  const places = outputs.flat.map(({ name }) => new Place(name, true))
  return arrange({ owner, noun: 'sample weights of output' }, arranged(outputs, places), given).map((value, i) =>
    value === undefined
      ? undefined
      : asFloat(Column.from(label(places[i]?.name as string), value as TensorLike), value as TensorLike),
  )
}

function asFloat(column: Column, data: TensorLike): Column {
  return column.dtype === 'float32'
    ? column
    : Column.from(column.label, data, { shape: [null, ...column.shape.slice(1)], dtype: 'float32' })
}

/** The places in the structure of the outputs. */
function arranged(outputs: Outputs, places: readonly Place[]): Structure<Place> {
  let next = 0
  return mapStructure(outputs.structure, () => places[next++] as Place)
}

/**
 * The number of samples that all columns have.
 *
 * @throws DataError with the sizes when they differ.
 */
export function rowsOf(owner: string, { inputs, targets, weights }: Columns): number {
  const rows = inputs[0]?.rows ?? targets.find((target) => target)?.rows ?? 0
  const same = (column: Column | undefined): boolean => !column || column.rows === rows
  if (inputs.every(same) && targets.every(same) && weights.every(same)) return rows
  const groups = { x: inputs, y: targets, sampleWeight: weights }
  const sizes = Object.entries(groups).map(
    ([name, columns]) => [name, columns.flatMap((column) => (column ? [column.rows] : []))] as const,
  )
  const text = sizes.filter(([, rows]) => rows.length > 0).map(([name, rows]) => `${name}: ${rows.join(', ')}`)
  throw new DataError(
    `${owner}: the number of samples is ambiguous: all arrays must have the same, received ${text.join('; ')}`,
    {
      sizes: Object.fromEntries(sizes),
    },
  )
}
