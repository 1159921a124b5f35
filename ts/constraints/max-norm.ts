import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Constraint } from './base.ts'
import { axisField, epsilon, norms } from './norms.ts'

/** Norms of at most `maxValue` (2) over `axis` (0; for the kernel of a convolution `[0, 1, 2]`). */
export class MaxNorm extends configuredObject(
  'keras.constraints',
  'MaxNorm',
  { maxValue: number({ default: 2, min: 0 }), axis: axisField() },
  Constraint,
) {
  override apply(w: SymbolicTensor): SymbolicTensor {
    const norm = norms(w, this.config.axis)
    return ops.multiply(w, ops.divide(ops.clip(norm, 0, this.config.maxValue), ops.add(norm, epsilon)))
  }
}
registerObject('keras.constraints', MaxNorm, 'max_norm')
