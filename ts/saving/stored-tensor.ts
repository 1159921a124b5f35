import { FileError } from '../core/errors.ts'
import { formatShape, type DType, type TypedArray } from '../core/types.ts'
import type { StoredTensor } from '../native/addon.ts'
import { Tensor, tensor } from '../native/tensor.ts'
import type { Variable } from '../native/variable.ts'

const storedNames: Record<DType, string> = { float32: 'float32', int32: 'int32', bool: 'bool', uint8: 'uint8' }

/** A variable's value as a weights file holds it. */
export function storeVariable(path: string, variable: Variable): StoredTensor {
  const value = variable.read()
  const { data } = value
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { path, dtype: storedNames[value.dtype], shape: [...value.shape], data: bytes }
}

/**
 * A tensor of a file as the variable's next value.
 *
 * @throws FileError when the shape differs, or the type in more than its width.
 */
export function reviveTensor(stored: StoredTensor, variable: Variable): Tensor {
  if (formatShape(stored.shape) !== formatShape(variable.shape)) {
    throw new FileError(
      `'${stored.path}': expected shape ${formatShape(variable.shape)} for variable '${variable.path}', the file has ${formatShape(stored.shape)}`,
      'FILE_MISMATCH',
      { path: stored.path, variable: variable.path, expected: variable.shape, received: stored.shape },
    )
  }
  return tensor(elements(stored, variable.dtype), stored.shape, variable.dtype)
}

function elements(stored: StoredTensor, dtype: DType): TypedArray {
  const { data } = stored
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer
  switch (`${stored.dtype} as ${dtype}`) {
    case 'float32 as float32':
      return new Float32Array(buffer)
    case 'float64 as float32':
      return Float32Array.from(new Float64Array(buffer))
    case 'float16 as float32':
      return Float32Array.from(new Uint16Array(buffer), halfToNumber)
    case 'int32 as int32':
      return new Int32Array(buffer)
    case 'uint32 as int32':
      return Int32Array.from(new Uint32Array(buffer), (value) => inInt32(stored, value))
    case 'int64 as int32':
      return Int32Array.from(Array.from(new BigInt64Array(buffer), (value) => inInt32(stored, Number(value))))
    case 'bool as bool':
    case 'uint8 as uint8':
      return new Uint8Array(buffer)
    default:
      throw new FileError(`'${stored.path}': expected elements of type ${dtype}, the file has ${stored.dtype}`, 'FILE_MISMATCH', {
        path: stored.path,
        expected: dtype,
        received: stored.dtype,
      })
  }
}

function inInt32(stored: StoredTensor, value: number): number {
  if (value === (value | 0)) return value
  throw new FileError(`'${stored.path}': expected whole numbers of 32 bits, the file has ${value}`, 'FILE_MISMATCH', { path: stored.path })
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
