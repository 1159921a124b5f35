import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { DType } from '../core/types.ts'
import type { Tensor } from '../native/tensor.ts'
import { Initializer } from './base.ts'
import { filled } from './filled.ts'

/** One value everywhere; `value` is 0 by default. */
export class Constant extends configuredObject('keras.initializers', 'Constant', { value: number({ default: 0 }) }, Initializer) {
  override make(shape: readonly number[], dtype: DType): Tensor {
    return filled(shape, dtype, this.config.value)
  }
}
registerObject('keras.initializers', Constant, 'constant')
