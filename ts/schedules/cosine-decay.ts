import { integer, number, optionalNumber } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'
import { stepsField } from './steps-field.ts'

/**
 * Half a cosine from `initialLearningRate` to `alpha` (default 0) times it within `decaySteps`. With a `warmupTarget` the
 * rate first rises to that in a straight line of `warmupSteps` and the cosine starts from there.
 */
export class CosineDecay extends builtInSchedule('CosineDecay', 'CosineDecay', {
  initialLearningRate: number(),
  decaySteps: stepsField(),
  alpha: number({ default: 0 }),
  warmupTarget: optionalNumber(),
  warmupSteps: integer({ default: 0, min: 0 }),
}) {
  override rate(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, decaySteps, warmupTarget, warmupSteps } = this.config
    if (warmupTarget === null) return this.#decayed(ops.minimum(step, decaySteps), initialLearningRate)
    const limited = ops.minimum(step, decaySteps + warmupSteps)
    const decayed = this.#decayed(ops.subtract(limited, warmupSteps), warmupTarget)
    if (warmupSteps === 0) return decayed
    const rising = ops.multiply(
      ops.divide(limited, warmupSteps),
      Math.fround(warmupTarget) - Math.fround(initialLearningRate),
    )
    return ops.where(ops.less(limited, warmupSteps), ops.add(rising, initialLearningRate), decayed)
  }

  #decayed(step: SymbolicTensor, from: number): SymbolicTensor {
    const { alpha, decaySteps } = this.config
    const cosine = ops.cos(ops.multiply(ops.divide(step, decaySteps), Math.PI))
    const share = ops.multiply(ops.add(cosine, 1), 0.5)
    return ops.multiply(ops.add(ops.multiply(share, 1 - alpha), alpha), from)
  }
}
registerObject('keras.optimizers.schedules', CosineDecay)
