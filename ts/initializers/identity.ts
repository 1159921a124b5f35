import { ShapeError } from '../core/errors.ts'
import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { formatShape, type DType } from '../core/types.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import { Initializer } from './base.ts'

/** `gain` (default 1) on the diagonal of a matrix, zeros elsewhere. */
export class Identity extends configuredObject('keras.initializers', 'Identity', { gain: number({ default: 1 }) }, Initializer) {
  /** @throws ShapeError when the shape is no matrix. */
  override make(shape: readonly number[], dtype: DType): Tensor {
    const [rows, columns] = shape
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      throw new ShapeError(`Identity: expected rank 2, received ${formatShape(shape)}`)
    }
    const values = new Float32Array(rows * columns)
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * (columns + 1)] = this.config.gain
    return tensor(values, shape, dtype)
  }
}
registerObject('keras.initializers', Identity, 'identity', 'IdentityInitializer')
