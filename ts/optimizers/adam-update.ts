import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import type { Step, Update } from './base.ts'

/** The options of Adam's rule. */
export interface AdamSettings {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/** Adam's state: first and second moments, and with amsgrad the largest second moments. */
export interface AdamSlots {
  readonly momentums: ReadonlyMap<Variable, Variable>
  readonly velocities: ReadonlyMap<Variable, Variable>
  readonly largest: ReadonlyMap<Variable, Variable>
}

/**
 * `m += (g - m) * (1 - beta1)`, `v += (g^2 - v) * (1 - beta2)`, `w -= alpha * m / (sqrt(v) + epsilon)` with
 * `alpha = learningRate * sqrt(1 - beta2^t) / (1 - beta1^t)`: epsilon is added before the bias is corrected, as in Keras.
 */
export function adamUpdate(
  { learningRate, updates }: Step,
  { beta1, beta2, epsilon }: AdamSettings,
  slots: AdamSlots,
): Update {
  const t = ops.cast(ops.add(updates, 1), 'float32')
  const correction = ops.sqrt(ops.subtract(1, ops.power(beta2, t)))
  const alpha = ops.divide(ops.multiply(learningRate, correction), ops.subtract(1, ops.power(beta1, t)))
  return (gradient, variable) => {
    const m = slots.momentums.get(variable) as Variable
    const v = slots.velocities.get(variable) as Variable
    m.assign(ops.lerp(m, gradient, 1 - beta1))
    v.assign(ops.lerp(v, ops.square(gradient), 1 - beta2))
    const largest = slots.largest.get(variable)
    largest?.assign(ops.maximum(largest, v))
    variable.assign(ops.adamStep(variable, m, largest ?? v, alpha, epsilon))
  }
}
