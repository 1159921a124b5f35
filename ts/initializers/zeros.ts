import { configuredObject, registerObject } from '../core/serializable.ts'
import type { DType } from '../core/types.ts'
import { zeros, type Tensor } from '../native/tensor.ts'
import { Initializer } from './base.ts'

/** Zeros. */
export class Zeros extends configuredObject('keras.initializers', 'Zeros', {}, Initializer) {
  override make(shape: readonly number[], dtype: DType): Tensor {
    return zeros(shape, dtype)
  }
}
registerObject('keras.initializers', Zeros, 'zeros', 'zero')
