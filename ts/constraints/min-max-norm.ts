import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Constraint } from './base.ts'
import { axisField, epsilon, norms } from './norms.ts'

/**
 * Norms between `minValue` (0) and `maxValue` (1) over `axis` (0). A `rate` (1) below 1 moves them there only part of
 * the way at each step.
 */
export class MinMaxNorm extends configuredObject(
  'keras.constraints',
  'MinMaxNorm',
  {
    minValue: number({ default: 0, min: 0 }),
    maxValue: number({ default: 1, min: 0 }),
    rate: number({ default: 1 }),
    axis: axisField(),
  },
  Constraint,
) {
  override apply(w: SymbolicTensor): SymbolicTensor {
    const { minValue, maxValue, rate, axis } = this.config
    const norm = norms(w, axis)
    const desired = ops.add(ops.multiply(ops.clip(norm, minValue, maxValue), rate), ops.multiply(norm, 1 - rate))
    return ops.multiply(w, ops.divide(desired, ops.add(norm, epsilon)))
  }
}
registerObject('keras.constraints', MinMaxNorm, 'min_max_norm')
