import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'
import { stepsField } from './steps-field.ts'

/** `initialLearningRate / (1 + decayRate * step / decaySteps)`; `staircase` rounds the quotient of the steps down. */
export class InverseTimeDecay extends builtInSchedule('InverseTimeDecay', 'InverseTimeDecay', {
  initialLearningRate: number(),
  decaySteps: stepsField(),
  decayRate: number(),
  staircase: boolean(false),
}) {
  override rate(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this.config
    const periods = ops.divide(step, decaySteps)
    return ops.divide(
      initialLearningRate,
      ops.add(ops.multiply(staircase ? ops.floor(periods) : periods, decayRate), 1),
    )
  }
}
registerObject('keras.optimizers.schedules', InverseTimeDecay)
