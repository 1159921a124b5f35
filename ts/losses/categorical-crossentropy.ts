import { boolean, integer, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { classesOf, smoothed } from './label-smoothing.ts'
import { logProbabilities } from './log-probabilities.ts'
import { sameRank } from './same-rank.ts'

/** Options of {@link categoricalCrossentropy}. */
export interface CategoricalCrossentropyOptions {
  readonly fromLogits?: boolean
  readonly labelSmoothing?: number
  readonly axis?: number
}

/** `-sum(t * log(p))` over the axis of the classes. */
export function categoricalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  options: CategoricalCrossentropyOptions = {},
): SymbolicTensor {
  const { fromLogits = false, labelSmoothing = 0, axis = -1 } = options
  const [a, p] = sameRank(yTrue, yPred)
  // Keras counts the classes on the last axis whatever `axis` says.
  const t = labelSmoothing === 0 ? a : smoothed(a, labelSmoothing, 1 / classesOf('categorical_crossentropy', p))
  return ops.negative(ops.sum(ops.multiply(t, logProbabilities(p, fromLogits, axis)), { axis }))
}

/**
 * Crossentropy of one-hot targets (or any distribution) and predictions `[..., classes]`: probabilities, divided by
 * their sum and clipped, or logits where `fromLogits` says so. `labelSmoothing` (default 0) moves targets towards
 * 1 / classes.
 */
export class CategoricalCrossentropy extends builtInLoss('CategoricalCrossentropy', 'categorical_crossentropy', {
  fromLogits: boolean(false),
  labelSmoothing: number({ default: 0, min: 0, max: 1 }),
  axis: integer({ default: -1 }),
}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.losses', CategoricalCrossentropy, 'categorical_crossentropy')
