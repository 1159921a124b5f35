import type { DType } from '../core/types.ts'
import { tensor, type Tensor } from '../native/tensor.ts'

/** A tensor that holds one value everywhere. */
export function filled(shape: readonly number[], dtype: DType, value: number): Tensor {
  const length = shape.reduce((n, extent) => n * extent, 1)
  const values = dtype === 'float32' ? new Float32Array(length) : dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length)
  return tensor(values.fill(value), shape, dtype)
}
