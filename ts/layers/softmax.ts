import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { axesField } from './fields.ts'
import type { CallContext } from './layer.ts'

/** Keras's stand-in for minus infinity at masked places. */
const excluded = -1e9

/**
 * `e^x / sum(e^x)` along an axis, or over several together. Places that a mask (which must broadcast to the input)
 * leaves out get 0; so does a row of which nothing is left.
 */
export class Softmax extends configured('Softmax', { axis: axesField(-1) }) {
  override supportsMasking = true
  override inputSpec = {}

  override call(inputs: SymbolicTensor, { mask }: CallContext): SymbolicTensor {
    const { axis } = this.config
    const masked = mask as SymbolicTensor | undefined
    const x = masked ? ops.where(masked, inputs, excluded) : inputs
    const result = typeof axis === 'number' ? ops.softmax(x, axis) : axis.length === 1 ? ops.softmax(x, axis[0]) : softmaxOver(x, axis)
    return masked ? ops.where(masked, result, 0) : result
  }
}

function softmaxOver(x: SymbolicTensor, axis: readonly number[]): SymbolicTensor {
  const largest = ops.stopGradient(ops.max(x, { axis, keepdims: true }))
  const powers = ops.exp(ops.subtract(x, largest))
  return ops.divide(powers, ops.sum(powers, { axis, keepdims: true }))
}
