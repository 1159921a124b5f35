import { ConfigError, ShapeError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { number } from '../core/schema.ts'
import { nextSeed } from '../core/seed.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { formatShape, type DType } from '../core/types.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import { Initializer } from './base.ts'
import { draw, seedField } from './random-initializer.ts'

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times `gain` (default 1). Shapes of higher
 * rank are taken as a matrix whose columns are the last axis.
 */
export class Orthogonal extends configuredObject(
  'keras.initializers',
  'Orthogonal',
  { gain: number({ default: 1 }), seed: seedField() },
  Initializer,
) {
  readonly #drawnSeed = nextSeed()

  /** @throws ShapeError for a rank below 2. @throws ConfigError for a type other than float32. */
  override make(shape: readonly number[], dtype: DType): Tensor {
    if (dtype !== 'float32') throw new ConfigError(`Orthogonal: expected dtype 'float32', received ${show(dtype)}`, { dtype })
    if (shape.length < 2) throw new ShapeError(`Orthogonal: expected rank 2 or more, received ${formatShape(shape)}`)
    const columns = shape.at(-1) as number
    const rows = shape.slice(0, -1).reduce((n, extent) => n * extent, 1)
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
    const normal = draw([short, long], this.config.seed ?? this.#drawnSeed, { distribution: 'normal', mean: 0, stddev: 1 })
    const vectors = orthonormal(Float64Array.from(normal.data), short, long)
    const values = new Float32Array(rows * columns)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = rows < columns ? row * long + column : column * long + row
        values[row * columns + column] = this.config.gain * (vectors[at] as number)
      }
    }
    return tensor(values, shape)
  }
}
registerObject('keras.initializers', Orthogonal, 'orthogonal', 'OrthogonalInitializer')

/**
 * Makes `count` vectors of `length` orthonormal in place, by modified Gram-Schmidt. Going over each vector twice keeps
 * them orthogonal to rounding. This is the QR decomposition whose R has a positive diagonal.
 */
function orthonormal(vectors: Float64Array, count: number, length: number): Float64Array {
  for (let i = 0; i < count; i++) {
    const vector = vectors.subarray(i * length, (i + 1) * length)
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) subtractProjection(vector, vectors.subarray(j * length, (j + 1) * length))
    }
    const norm = Math.sqrt(dot(vector, vector))
    for (let k = 0; k < length; k++) vector[k] = (vector[k] as number) / norm
  }
  return vectors
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const factor = dot(vector, unit)
  for (let k = 0; k < vector.length; k++) vector[k] = (vector[k] as number) - factor * (unit[k] as number)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number)
  return sum
}
