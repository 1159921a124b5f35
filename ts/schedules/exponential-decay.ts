import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'
import { stepsField } from './steps-field.ts'

/** `initialLearningRate * decayRate^(step / decaySteps)`; `staircase` rounds the exponent down. */
export class ExponentialDecay extends builtInSchedule('ExponentialDecay', 'ExponentialDecay', {
  initialLearningRate: number(),
  decaySteps: stepsField(),
  decayRate: number(),
  staircase: boolean(false),
}) {
  override rate(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this.config
    const periods = ops.divide(step, decaySteps)
    return ops.multiply(ops.power(decayRate, staircase ? ops.floor(periods) : periods), initialLearningRate)
  }
}
registerObject('keras.optimizers.schedules', ExponentialDecay)
