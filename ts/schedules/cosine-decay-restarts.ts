import { number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'
import { stepsField } from './steps-field.ts'

/**
 * Half a cosine from `initialLearningRate` to `alpha` (default 0) times it within `firstDecaySteps`, then again and
 * again: each round `tMul` (default 2) times as long and from `mMul` (default 1) times as high.
 */
export class CosineDecayRestarts extends builtInSchedule('CosineDecayRestarts', 'SGDRDecay', {
  initialLearningRate: number(),
  firstDecaySteps: stepsField(),
  tMul: number({ default: 2, min: 1 }),
  mMul: number({ default: 1 }),
  alpha: number({ default: 0 }),
}) {
  override rate(step: SymbolicTensor): SymbolicTensor {
    const { initialLearningRate, firstDecaySteps, mMul, alpha } = this.config
    const [round, fraction] = this.#round(ops.divide(step, firstDecaySteps))
    const height = ops.multiply(ops.power(mMul, round), 0.5)
    const cosine = ops.multiply(height, ops.add(ops.cos(ops.multiply(fraction, Math.PI)), 1))
    return ops.multiply(ops.add(ops.multiply(cosine, 1 - alpha), alpha), initialLearningRate)
  }

  /** Which round it is, and which part of it has passed; `passed` counts first rounds. */
  #round(passed: SymbolicTensor): [round: SymbolicTensor, fraction: SymbolicTensor] {
    const { tMul } = this.config
    if (tMul === 1) {
      const round = ops.floor(passed)
      return [round, ops.subtract(passed, round)]
    }
    const grown = ops.subtract(1, ops.multiply(passed, 1 - tMul))
    // Both logarithms come from one kernel, so that their quotient is whole where a round begins.
    const base = ops.log(ops.multiply(ops.onesLike(passed), tMul))
    const round = ops.floor(ops.divide(ops.log(grown), base))
    const length = ops.power(tMul, round)
    const before = ops.divide(ops.subtract(1, length), 1 - tMul)
    return [round, ops.divide(ops.subtract(passed, before), length)]
  }
}
registerObject('keras.optimizers.schedules', CosineDecayRestarts)
