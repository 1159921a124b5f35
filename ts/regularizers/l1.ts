import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Regularizer } from './base.ts'

/** `l1 * sum(|x|)`. `l1` is 0.01 by default. */
export class L1 extends configuredObject('keras.regularizers', 'L1', { l1: number({ default: 0.01, min: 0 }) }, Regularizer) {
  override penalty(x: SymbolicTensor): SymbolicTensor {
    return ops.multiply(ops.sum(ops.abs(x)), this.config.l1)
  }
}
registerObject('keras.regularizers', L1, 'l1')
