import { DataError, StateError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { dtypes, formatShape, type DType, type TypedArray } from '../core/types.ts'
import { addon, type NativeTensor, type Operand } from './addon.ts'
import { translated } from './errors.ts'

/** Numbers or booleans, nested as deep as the tensor has axes. */
export type NestedArray = number | boolean | readonly NestedArray[]

/** What can become a tensor: nested arrays, or anything with `data` and `shape` (or `dims`). */
export type TensorLike =
  | Tensor
  | NestedArray
  | TypedArray
  | { readonly data: ArrayLike<number>; readonly shape: readonly number[]; readonly dtype?: string }
  | { readonly data: ArrayLike<number>; readonly dims: readonly number[]; readonly dtype?: string }

const views: Record<DType, { new (data: ArrayLike<number>): TypedArray; from(data: ArrayLike<number>): TypedArray }> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
}

/** Up to this many elements a tensor keeps them on the JavaScript heap: a native object costs more than to copy them. */
const small = 4096

/**
 * Data with shape and element type: dense, row-major, immutable. Its memory is counted by the garbage collector and
 * freed with the object; `dispose()` or `using` frees it at once.
 */
export class Tensor {
  // Asked of the native side when first needed: crossing to it costs more than small tensors are worth.
  #shape: readonly number[] | undefined
  #dtype: DType | undefined
  /** Where the elements are: at least one of the two until `dispose()`. */
  #native: NativeTensor | undefined
  #elements: TypedArray | undefined
  #data: TypedArray | undefined

  /**
   * @internal Use {@link tensor}.
   * @param memory The elements. A typed array must stay as it is while the tensor is used; it is not copied.
   */
  constructor(memory: NativeTensor, shape?: readonly number[], dtype?: DType)
  constructor(memory: Operand, shape: readonly number[], dtype: DType)
  constructor(memory: Operand, shape?: readonly number[], dtype?: DType) {
    if (ArrayBuffer.isView(memory)) this.#elements = memory
    else this.#native = memory
    this.#shape = shape && Object.freeze(shape)
    this.#dtype = dtype
  }

  /** Extents, outermost first. */
  get shape(): readonly number[] {
    this.#shape ??= Object.freeze(translated(() => this.native.shape))
    return this.#shape
  }

  /** Element type. */
  get dtype(): DType {
    this.#dtype ??= translated(() => this.native.dtype)
    return this.#dtype
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** The number of elements. */
  get size(): number {
    return this.shape.reduce((n, extent) => n * extent, 1)
  }

  /**
   * The elements, row-major; `bool` as 0 and 1. The array is a copy made at the first access: writing to it does not
   * change the tensor in any model.
   *
   * @throws StateError after `dispose()`.
   */
  get data(): TypedArray {
    this.#data ??= this.#native ? this.#read(this.#native) : new views[this.dtype](this.elements)
    return this.#data
  }

  /** @internal The elements, not to be written to. */
  get elements(): TypedArray {
    this.#elements ??= this.#read(this.native)
    return this.#elements
  }

  /** @internal The elements where they are. */
  get operand(): Operand {
    return this.#native ?? this.#elements ?? this.native
  }

  /** @internal The native side. */
  get native(): NativeTensor {
    if (this.#native) return this.#native
    const [elements, shape, dtype] = [this.#elements, this.#shape, this.#dtype]
    if (!elements || !shape || !dtype) {
      throw new StateError(`expected a tensor in use, received one that was disposed${shape ? ` (${dtype}${formatShape(shape)})` : ''}`)
    }
    this.#native = translated(() => new addon.NativeTensor(dtype, shape, elements))
    return this.#native
  }

  #read(native: NativeTensor): TypedArray {
    return translated(() => native.read())
  }

  /** The elements as nested arrays; one number for shape `[]`. Elements of `bool` tensors are booleans. */
  toArray(): NestedArray {
    const { data } = this
    const read = (at: number): number | boolean => (this.dtype === 'bool' ? data[at] !== 0 : (data[at] as number))
    const build = (axis: number, at: number): NestedArray => {
      if (axis === this.shape.length) return read(at)
      const step = this.shape.slice(axis + 1).reduce((n, extent) => n * extent, 1)
      return Array.from({ length: this.shape[axis] as number }, (_, i) => build(axis + 1, at + i * step))
    }
    return build(0, 0)
  }

  /** The only element. */
  item(): number {
    if (this.size !== 1) throw new DataError(`item: expected a tensor of one element, received shape ${formatShape(this.shape)}`)
    return this.data[0] as number
  }

  /** Frees the memory now. The tensor cannot be used afterwards. */
  dispose(): void {
    this.#native?.dispose()
    this.#native = undefined
    this.#elements = undefined
    this.#data = undefined
  }

  /** `using t = ...` disposes at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    if (!this.#native && !this.#elements) return `Tensor(disposed)`
    const head = Array.from(this.data.subarray(0, 8)).map((x) => (this.dtype === 'float32' ? Number(x.toPrecision(6)) : x))
    return `Tensor(${this.dtype}${formatShape(this.shape)}: ${head.join(', ')}${this.size > 8 ? ', ...' : ''})`
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/**
 * Makes a tensor.
 *
 * @param data Nested arrays, a typed array, or anything with `data` and `shape`.
 * @param shape Extents; left out, they follow from the nesting, or are `[length]` for a typed array.
 * @param dtype Left out: `int32` for an Int32Array, `uint8` for a Uint8Array, `bool` for booleans, else `float32`.
 * @throws DataError when the nesting is ragged, the number of elements is not the shape's, an extent is no whole number
 * or the memory limit would be passed.
 */
export function tensor(data: TensorLike, shape?: readonly number[], dtype?: DType): Tensor {
  if (dtype !== undefined && !dtypes.includes(dtype)) {
    throw new DataError(`tensor: expected a dtype of ${dtypes.join(', ')}, received ${show(dtype)}`)
  }
  if (data instanceof Tensor && shape === undefined && (dtype === undefined || dtype === data.dtype)) return data
  const source = elementsOf(data)
  const type = dtype ?? source.dtype
  const extents = shape ?? source.shape
  if (!Array.isArray(extents) || !extents.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new DataError(`tensor: expected a shape of whole numbers >= 0, received ${show(extents)}`)
  }
  const count = extents.reduce((n: number, extent: number) => n * extent, 1)
  if (count !== source.data.length) {
    throw new DataError(`tensor: expected ${count} elements for shape ${formatShape(extents)}, received ${source.data.length}`, {
      shape: extents,
      received: source.data.length,
    })
  }
  return made(elementsAs(source.data, type), [...extents], type)
}

/** Zeros of a shape, without an array on the JavaScript side. */
export function zeros(shape: readonly number[], dtype: DType = 'float32'): Tensor {
  return new Tensor(translated(() => addon.NativeTensor.zeros(dtype, [...shape])), [...shape], dtype)
}

/** A tensor with a copy of the elements, which are as many as the shape says. */
function made(elements: TypedArray, shape: readonly number[], dtype: DType): Tensor {
  // The native side refuses too many axes, and an array without elements because its memory was transferred away.
  if (elements.length === 0 || elements.length > small || shape.length > 8 || dtype === 'bool') {
    return new Tensor(translated(() => new addon.NativeTensor(dtype, shape, elements)), shape, dtype)
  }
  return new Tensor(new views[dtype](elements), shape, dtype)
}

function elementsAs(data: ArrayLike<number>, dtype: DType): TypedArray {
  return data instanceof views[dtype] ? (data as TypedArray) : convert(data, dtype)
}

function convert(data: ArrayLike<number>, dtype: DType): TypedArray {
  if (dtype === 'bool') return Uint8Array.from(data, (x) => (x ? 1 : 0))
  return views[dtype].from(data)
}

/** Elements in row-major order with their shape and type, before they are copied into native memory. */
export interface Elements {
  readonly data: ArrayLike<number>
  readonly shape: readonly number[]
  readonly dtype: DType
}

/**
 * The elements of anything that can become a tensor. Typed arrays are not copied.
 *
 * @throws DataError when it cannot become a tensor.
 */
export function elementsOf(data: TensorLike): Elements {
  if (data instanceof Tensor) return { data: data.elements, shape: data.shape, dtype: data.dtype }
  if (ArrayBuffer.isView(data)) {
    if (data.buffer instanceof ArrayBuffer && (data.buffer as { detached?: boolean }).detached) {
      throw new DataError('tensor: expected a typed array with memory, received one whose buffer was transferred away')
    }
    return typed(data as TypedArray, [data.length])
  }
  if (typeof data === 'number' || typeof data === 'boolean' || Array.isArray(data)) return nested(data)
  if (typeof data === 'object' && data !== null && 'data' in data) {
    const extents = 'shape' in data ? data.shape : 'dims' in data ? data.dims : undefined
    if (extents && typeof data.data === 'object' && data.data !== null) {
      const strides = (data as { stride?: readonly number[] }).stride
      return typed(strides ? dense(data.data, extents, strides, (data as { offset?: number }).offset ?? 0) : data.data, extents)
    }
  }
  throw new DataError(
    `expected nested arrays, a typed array, a Tensor or an object with 'data' and 'shape', received ${show(data)}`,
  )
}

function typed(data: ArrayLike<number>, shape: readonly number[]): Elements {
  const dtype = data instanceof Int32Array ? 'int32' : data instanceof Uint8Array || data instanceof Uint8ClampedArray ? 'uint8' : 'float32'
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Array.from(data as BigInt64Array, Number), shape, dtype: 'int32' }
  }
  return { data, shape, dtype }
}

function dense(data: ArrayLike<number>, shape: readonly number[], strides: readonly number[], offset: number): ArrayLike<number> {
  const count = shape.reduce((n, extent) => n * extent, 1)
  const result = new Float32Array(count)
  const index = shape.map(() => 0)
  for (let i = 0; i < count; i++) {
    result[i] = data[index.reduce((at, n, axis) => at + n * (strides[axis] as number), offset)] as number
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return result
}

function nested(data: NestedArray): Elements {
  const shape: number[] = []
  for (let level: NestedArray = data; Array.isArray(level); level = level[0] as NestedArray) {
    shape.push(level.length)
    if (level.length === 0 || shape.length > 16) break
  }
  const elements: number[] = []
  let booleans = true
  const visit = (value: NestedArray, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value !== 'number' && typeof value !== 'boolean') {
        throw new DataError(`expected numbers at depth ${axis} of the nested array, received ${show(value)}`)
      }
      booleans &&= typeof value === 'boolean'
      elements.push(Number(value))
      return
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      throw new DataError(
        `expected a nested array whose rows all have one length: ${shape[axis]} at depth ${axis}, received ${Array.isArray(value) ? value.length : show(value)}`,
      )
    }
    for (const item of value) visit(item as NestedArray, axis + 1)
  }
  visit(data, 0)
  return { data: elements, shape, dtype: booleans && elements.length > 0 ? 'bool' : 'float32' }
}
