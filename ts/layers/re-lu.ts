import { leakyRelu, relu6 } from '../activations/functions.ts'
import { number, optionalNumber } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'

/**
 * `x` above `threshold` (0), at most `maxValue` (`null`: no limit), and `negativeSlope * (x - threshold)` (slope 0)
 * below. Kinks and their derivatives are Keras's: at `threshold` itself the result is 0.
 */
export class ReLU extends configured('ReLU', {
  maxValue: optionalNumber({ min: 0 }),
  negativeSlope: number({ default: 0, min: 0 }),
  threshold: number({ default: 0, min: 0 }),
}) {
  override supportsMasking = true
  override inputSpec = {}

  override call(x: SymbolicTensor): SymbolicTensor {
    const { maxValue, negativeSlope, threshold } = this.config
    if (negativeSlope !== 0 && maxValue === null && threshold === 0) return leakyRelu(x, negativeSlope)
    const positive = this.#positivePart(x)
    if (negativeSlope === 0) return positive
    const below = ops.relu(ops.subtract(threshold, x))
    return ops.subtract(positive, ops.multiply(below, negativeSlope))
  }

  #positivePart(x: SymbolicTensor): SymbolicTensor {
    const { maxValue, threshold } = this.config
    if (threshold === 0 && maxValue === 6) return relu6(x)
    const rectified = threshold === 0 ? ops.relu(x) : ops.where(ops.greater(x, threshold), x, 0)
    return maxValue === null ? rectified : ops.minimum(ops.maximum(rectified, 0), maxValue)
  }
}
