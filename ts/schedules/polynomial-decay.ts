import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'
import { stepsField } from './steps-field.ts'

/**
 * From `initialLearningRate` to `endLearningRate` (default 1e-4) within `decaySteps`, along `(1 - step / decaySteps)^power`
 * (default 1). `cycle` starts again with as many times `decaySteps` as steps have passed.
 */
export class PolynomialDecay extends builtInSchedule('PolynomialDecay', 'PolynomialDecay', {
  initialLearningRate: number(),
  decaySteps: stepsField(),
  endLearningRate: number({ default: 1e-4 }),
  power: number({ default: 1 }),
  cycle: boolean(false),
}) {
  override rate(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, endLearningRate, power } = this.config
    const left = ops.power(ops.subtract(1, this.#fraction(step)), power)
    return ops.add(ops.multiply(left, Math.fround(initialLearningRate) - Math.fround(endLearningRate)), endLearningRate)
  }

  #fraction(step: SymbolicTensor): SymbolicTensor {
    const { decaySteps, cycle } = this.config
    if (!cycle) return ops.divide(ops.minimum(step, decaySteps), decaySteps)
    const rounds = ops.negative(ops.floor(ops.negative(ops.divide(step, decaySteps))))
    return ops.divide(step, ops.multiply(ops.maximum(rounds, 1), decaySteps))
  }
}
registerObject('keras.optimizers.schedules', PolynomialDecay)
