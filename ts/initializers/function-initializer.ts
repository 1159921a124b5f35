import { ShapeError } from '../core/errors.ts'
import { formatShape, type DType } from '../core/types.ts'
import { Tensor, tensor, type TensorLike } from '../native/tensor.ts'
import { Initializer } from './base.ts'

/** An initializer made of a function of shape and type. Files cannot hold it. */
export class FunctionInitializer extends Initializer {
  readonly #body: (shape: readonly number[], dtype: DType) => TensorLike

  constructor(body: (shape: readonly number[], dtype: DType) => TensorLike) {
    super()
    this.#body = body
  }

  /** @throws ShapeError when the function's values have another shape. */
  override make(shape: readonly number[], dtype: DType): Tensor {
    const values = this.#body(shape, dtype)
    const flat = ArrayBuffer.isView(values) && !(values instanceof Tensor)
    const made = flat ? tensor(values, shape, dtype) : tensor(values, undefined, dtype)
    if (formatShape(made.shape) !== formatShape(shape)) {
      throw new ShapeError(`initializer: expected values of shape ${formatShape(shape)}, received ${formatShape(made.shape)}`)
    }
    return made
  }
}
