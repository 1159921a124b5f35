import type { Structure } from '../core/tree.ts'
import type { DType, TypedArray } from '../core/types.ts'
import { Tensor } from '../native/tensor.ts'
import { InputPlace } from './outputs.ts'

/** Data that can cross into the core as it is. */
export interface DirectInputs {
  readonly rows: number
  /** The elements of each input. */
  readonly elements: TypedArray[]
}

/**
 * Reads the plainest data for the inputs of a model: tensors, or typed arrays with a shape, each exactly what its input
 * expects. Everything else takes the long way and gets its messages there, which takes longer than a small model computes.
 */
export class DirectReader {
  /** Of the inputs. */
  readonly types: readonly DType[]
  readonly #places: readonly InputPlace[]
  /** Whether the model names its inputs as a list. */
  readonly #listed: boolean
  /** Elements of a row. */
  readonly #sizes: readonly number[]

  private constructor(places: readonly InputPlace[], listed: boolean) {
    this.#places = places
    this.#listed = listed
    this.types = places.map(({ dtype }) => dtype)
    this.#sizes = places.map(({ shape }) => shape.slice(1).reduce((n: number, extent) => n * (extent ?? 0), 1))
  }

  static of(places: Structure<InputPlace>): DirectReader | undefined {
    const list: readonly unknown[] = Array.isArray(places) ? places : [places]
    if (list.length === 0 || !list.every((place) => place instanceof InputPlace)) return undefined
    return list.every(({ shape }) => shape.length > 0 && shape.indexOf(null, 1) < 0) ? new DirectReader(list, list === places) : undefined
  }

  /** The data of at most so many rows, if it is of that kind. */
  read(given: unknown, most: number): DirectInputs | undefined {
    const count = this.#places.length
    const list = Array.isArray(given) && given.length === count ? (given as readonly unknown[]) : undefined
    if (!list && this.#listed) return undefined
    const elements: TypedArray[] = []
    let rows = 0
    for (let i = 0; i < count; i++) {
      const one = list ? list[i] : given
      if (typeof one !== 'object' || one === null || !('data' in one && 'shape' in one) || 'stride' in one) return undefined
      const data = one instanceof Tensor ? one.operand : one.data
      const place = this.#places[i] as InputPlace
      if (!hasShape(one.shape, place) || !holds(data, place.dtype)) return undefined
      const [extent] = one.shape
      if (i > 0 && extent !== rows) return undefined
      rows = extent
      if (data.length !== rows * (this.#sizes[i] as number)) return undefined
      elements.push(data)
    }
    return Number.isInteger(rows) && rows > 0 && rows <= most ? { rows, elements } : undefined
  }
}

const known = new WeakMap<object, DirectReader | null>()

/** The reader for these inputs, if they are one or a list and nothing but the rows is unknown. */
export function directReader(places: Structure<InputPlace>): DirectReader | null {
  let reader = known.get(places)
  if (reader === undefined) {
    reader = DirectReader.of(places) ?? null
    known.set(places, reader)
  }
  return reader
}

/** Whether a shape is that of a place but for the rows. */
function hasShape(shape: unknown, { shape: expected }: InputPlace): shape is [number, ...number[]] {
  if (!Array.isArray(shape) || shape.length !== expected.length) return false
  for (let axis = 1; axis < shape.length; axis++) if (shape[axis] !== expected[axis]) return false
  return true
}

function holds(data: unknown, dtype: DType): data is TypedArray {
  if (dtype === 'float32') return data instanceof Float32Array
  if (dtype === 'int32') return data instanceof Int32Array
  return dtype === 'uint8' && data instanceof Uint8Array
}
