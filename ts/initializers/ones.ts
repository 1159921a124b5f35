import { configuredObject, registerObject } from '../core/serializable.ts'
import type { DType } from '../core/types.ts'
import type { Tensor } from '../native/tensor.ts'
import { Initializer } from './base.ts'
import { filled } from './filled.ts'

/** Ones. */
export class Ones extends configuredObject('keras.initializers', 'Ones', {}, Initializer) {
  override make(shape: readonly number[], dtype: DType): Tensor {
    return filled(shape, dtype, 1)
  }
}
registerObject('keras.initializers', Ones, 'ones', 'one')
