import { DataError } from '../../core/errors.ts'
import { formatShape, type DType, type Shape, type TypedArray } from '../../core/types.ts'
import { elementsOf, Tensor, type TensorLike } from '../../native/tensor.ts'

type Numbers = TypedArray | Float64Array | Int16Array | Uint16Array | Uint32Array | Int8Array | Uint8ClampedArray

const views: Record<DType, { new (length: number): TypedArray; from(data: ArrayLike<number>): TypedArray }> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
}

/** What an input demands of its data. */
export interface Expected {
  /** Extents, batch first. */
  readonly shape: Shape
  readonly dtype: DType
}

/** The data of one input, target or weight, `[rows, ...]`, from which batches are cut. */
export class Column {
  /** What it is in messages: `input 'image'`. */
  readonly label: string
  /** Extents, rows first. */
  readonly shape: readonly number[]
  /** The type of the tensors it is cut into. */
  readonly dtype: DType
  /** A tensor of the column's type, or numbers to be converted. */
  readonly #memory: Tensor | Numbers
  /** How many rows every batch must have, where the model says so. */
  readonly #batch: number | null
  readonly #rowSize: number
  /** Where rows are gathered, again and again. */
  #gathered: TypedArray | undefined

  private constructor(label: string, memory: Tensor | Numbers, shape: readonly number[], dtype: DType, batch: number | null) {
    this.label = label
    this.#batch = batch
    this.shape = shape
    this.dtype = dtype
    this.#memory = memory
    this.#rowSize = product(shape.slice(1))
  }

  /**
   * Reads data without copying it where it is a typed array already.
   *
   * @param expected What the data must be; ranks that differ by one trailing extent of 1 are put right.
   * @throws DataError when the data is no tensor, or not what is expected.
   */
  static from(label: string, data: TensorLike, expected?: Expected): Column {
    const { data: elements, shape, dtype } = data instanceof Tensor ? whole(data) : readElements(label, data)
    const type = expected?.dtype ?? dtype
    const extents = expected ? fitted(label, shape, expected.shape) : shape
    if (extents.length === 0)
      throw new DataError(`${label}: expected at least one axis, that of the samples, received a single number`)
    const memory =
      !(elements instanceof Tensor) ? numbersOf(elements, dtype, type) : dtype === type ? elements : numbersOf(elements.elements, dtype, type)
    return new Column(label, memory, extents, type, expected?.shape[0] ?? null)
  }

  /** The number of samples. */
  get rows(): number {
    return this.shape[0] as number
  }

  get #numbers(): Numbers {
    return this.#memory instanceof Tensor ? this.#memory.elements : this.#memory
  }

  /** Rows `start..end - 1` as a column of their own, sharing memory. */
  part(start: number, end: number): Column {
    const size = this.#rowSize
    return new Column(
      this.label,
      this.#numbers.subarray(start * size, end * size),
      [end - start, ...this.shape.slice(1)],
      this.dtype,
      this.#batch,
    )
  }

  /** The same rows in memory of its own: whoever gave the data may change it from now on. Tensors never change. */
  snapshot(): Column {
    if (this.#memory instanceof Tensor) return this
    this.#requireMemory(this.#memory)
    return new Column(this.label, this.#memory.slice(), this.shape, this.dtype, this.#batch)
  }

  /**
   * Rows `start..end - 1` of an order, or of the rows as they stand. The tensor may borrow the data, or memory that the
   * next call uses again.
   */
  take(start: number, end: number, order?: Uint32Array): Tensor {
    if (this.#batch !== null && end - start !== this.#batch) {
      throw new DataError(`${this.label}: expected batches of ${this.#batch} samples, received one of ${end - start}`)
    }
    const memory = this.#memory
    const all = !order && start === 0 && end === this.rows
    if (all && memory instanceof Tensor && memory.shape.length === this.shape.length) return memory
    const numbers = this.#numbers
    this.#requireMemory(numbers)
    const shape = all ? this.shape : [end - start, ...this.shape.slice(1)]
    const size = this.#rowSize
    if (!order && numbers instanceof views[this.dtype]) {
      return new Tensor((all ? numbers : numbers.subarray(start * size, end * size)) as TypedArray, shape, this.dtype)
    }
    const rows = this.#room((end - start) * size)
    if (!order) rows.set(numbers.subarray(start * size, end * size))
    else if (size === 1) for (let i = start; i < end; i++) rows[i - start] = numbers[order[i] as number] as number
    else {
      for (let i = start; i < end; i++) {
        const from = (order[i] as number) * size
        rows.set(numbers.subarray(from, from + size), (i - start) * size)
      }
    }
    return new Tensor(rows, shape, this.dtype)
  }

  #room(length: number): TypedArray {
    if (!this.#gathered || this.#gathered.length < length) this.#gathered = new views[this.dtype](length)
    return this.#gathered.length === length ? this.#gathered : this.#gathered.subarray(0, length)
  }

  /** The class of each row: the place of the largest element of the last axis, or the rounded number where it has one. */
  classes(): Int32Array {
    const classes = this.shape.length > 1 ? (this.shape.at(-1) as number) : 1
    const numbers = this.#numbers
    const count = numbers.length / Math.max(classes, 1)
    if (count !== this.rows) {
      throw new DataError(
        `${this.label}: expected one class for each sample, received targets of shape ${formatShape(this.shape)}`,
      )
    }
    return Int32Array.from({ length: this.rows }, (_, row) => {
      if (classes === 1) return Math.round(numbers[row] as number)
      let best = 0
      for (let i = 1; i < classes; i++) {
        if ((numbers[row * classes + i] as number) > (numbers[row * classes + best] as number)) best = i
      }
      return best
    })
  }

  #requireMemory(numbers: Numbers): void {
    if (numbers.length !== this.rows * this.#rowSize) {
      throw new DataError(
        `${this.label}: expected the data to stay while it is used, received an array whose buffer was transferred away`,
      )
    }
  }
}

function product(extents: readonly number[]): number {
  return extents.reduce((n, extent) => n * extent, 1)
}

/** A tensor as it is, if it is in use. */
function whole(data: Tensor): { data: Tensor; shape: readonly number[]; dtype: DType } {
  void data.operand
  return { data, shape: data.shape, dtype: data.dtype }
}

function readElements(label: string, data: TensorLike): ReturnType<typeof elementsOf> {
  let read: ReturnType<typeof elementsOf>
  try {
    read = elementsOf(data)
  } catch (error) {
    throw error instanceof DataError
      ? new DataError(`${label}: ${error.message}`, error.details, { cause: error })
      : error
  }
  const { data: elements, shape } = read
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new DataError(`${label}: expected a shape of whole numbers >= 0, received ${formatShape([...shape])}`)
  }
  const count = product(shape)
  if (ArrayBuffer.isView(elements) && isDetached(elements)) {
    throw new DataError(`${label}: expected an array with memory, received one whose buffer was transferred away`)
  }
  if (elements.length !== count) {
    throw new DataError(
      `${label}: expected ${count} elements for shape ${formatShape(shape)}, received ${elements.length}`,
    )
  }
  return read
}

function isDetached(view: ArrayBufferView): boolean {
  if (view.byteLength > 0) return false
  try {
    new Uint8Array(view.buffer)
    return false
  } catch {
    return true
  }
}

function numbersOf(elements: ArrayLike<number>, dtype: DType, wanted: DType): Numbers {
  if (wanted === 'bool' && dtype !== 'bool') return Uint8Array.from(elements, (x) => (x ? 1 : 0))
  return ArrayBuffer.isView(elements) ? (elements as unknown as Numbers) : views[wanted].from(elements)
}

/** The shape as it is expected, if it is that or differs by one trailing extent of 1. */
function fitted(label: string, shape: readonly number[], expected: Shape): readonly number[] {
  let extents = shape
  if (shape.length === expected.length + 1 && shape.at(-1) === 1) extents = shape.slice(0, -1)
  else if (shape.length === expected.length - 1 && expected.at(-1) === 1) extents = [...shape, 1]
  const wrong =
    extents.length !== expected.length ||
    extents.some((extent, axis) => axis > 0 && expected[axis] !== null && expected[axis] !== extent)
  if (!wrong) return extents
  const hint =
    shape.length === 1 && expected.length > 1 ? '; give { data, shape } or a tensor where an array has a shape' : ''
  throw new DataError(`${label}: expected shape ${formatShape(expected)}, received ${formatShape(shape)}${hint}`, {
    expected,
    received: shape,
  })
}
