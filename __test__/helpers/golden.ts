import { readFileSync } from 'node:fs'
import { tensor, type Structure, type Tensor } from '../../ts/index.ts'
import { isPlainObject, mapStructure } from '../../ts/core/tree.ts'
import type { DType } from '../../ts/core/types.ts'

/** A tensor as the golden files hold it. */
export interface GoldenTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly (number | 'NaN' | 'Infinity' | '-Infinity')[]
}

/** A named tensor as the golden files hold it. */
export interface NamedTensor {
  readonly path: string
  readonly tensor: GoldenTensor
}

/** Reads a golden file. */
export function golden<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/${path}`, import.meta.url), 'utf8')) as T
}

export function isGoldenTensor(value: unknown): value is GoldenTensor {
  return isPlainObject(value) && Array.isArray(value['data']) && Array.isArray(value['shape'])
}

/** The numbers of a golden tensor. */
export function numbers(stored: GoldenTensor): Float64Array {
  return Float64Array.from(stored.data, Number)
}

/** A golden tensor as one of ours. */
export function decode(stored: GoldenTensor): Tensor {
  const dtype: DType = stored.dtype === 'int32' || stored.dtype === 'int64' || stored.dtype === 'uint32' ? 'int32' : stored.dtype === 'bool' ? 'bool' : 'float32'
  return tensor(Float64Array.from(stored.data, Number) as unknown as Float32Array, stored.shape, dtype)
}

/** Golden tensors in arrays and objects as ours. */
export function decodeAll(value: unknown): Structure<Tensor> {
  if (isGoldenTensor(value)) return decode(value)
  if (Array.isArray(value)) return value.map((item) => decodeAll(item)) as Structure<Tensor>
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, decodeAll(item)]))
}

/** One of our tensors as the golden files hold it; NaN and infinities as words. */
export function encode(value: Tensor): GoldenTensor {
  const data = Array.from(value.data, (x) => (Number.isFinite(x) ? x : (String(x) as 'NaN')))
  return { dtype: value.dtype, shape: value.shape, data }
}

/** Our tensors in arrays and objects as the golden files hold them. */
export function encodeAll(value: Structure<Tensor>): unknown {
  return mapStructure(value, (leaf) => encode(leaf) as unknown)
}

/** The largest difference between two lists of numbers, in units of the root mean square of what is expected. NaN equals NaN. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity
  let squares = 0
  let finite = 0
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i] as number, expected[i] as number]
    if (Number.isFinite(b)) {
      squares += b * b
      finite++
    }
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    const difference = Math.abs(a - b)
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference)
  }
  const rms = Math.sqrt(squares / Math.max(finite, 1))
  return worst === 0 ? 0 : worst / (rms || 1)
}
