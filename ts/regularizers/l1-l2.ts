import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Regularizer } from './base.ts'

/** `l1 * sum(|x|) + l2 * sum(x^2)`. Both factors are 0 by default. */
export class L1L2 extends configuredObject(
  'keras.regularizers',
  'L1L2',
  { l1: number({ default: 0, min: 0 }), l2: number({ default: 0, min: 0 }) },
  Regularizer,
) {
  override penalty(x: SymbolicTensor): SymbolicTensor {
    const absolute = ops.multiply(ops.sum(ops.abs(x)), this.config.l1)
    return ops.add(absolute, ops.multiply(ops.sum(ops.square(x)), this.config.l2))
  }
}
registerObject('keras.regularizers', L1L2, 'l1_l2', 'l1l2')
