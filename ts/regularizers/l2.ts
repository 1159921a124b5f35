import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Regularizer } from './base.ts'

/** `l2 * sum(x^2)`, without a factor of one half. `l2` is 0.01 by default. */
export class L2 extends configuredObject('keras.regularizers', 'L2', { l2: number({ default: 0.01, min: 0 }) }, Regularizer) {
  override penalty(x: SymbolicTensor): SymbolicTensor {
    return ops.multiply(ops.sum(ops.square(x)), this.config.l2)
  }
}
registerObject('keras.regularizers', L2, 'l2')
