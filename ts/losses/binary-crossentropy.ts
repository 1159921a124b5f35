import { boolean, integer, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { smoothed } from './label-smoothing.ts'
import { sameRank } from './same-rank.ts'

/** Options of {@link binaryCrossentropy}. */
export interface BinaryCrossentropyOptions {
  readonly fromLogits?: boolean
  readonly labelSmoothing?: number
  readonly axis?: number
}

/** The mean over an axis of `-t * log(p) - (1 - t) * log(1 - p)`. */
export function binaryCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  options: BinaryCrossentropyOptions = {},
): SymbolicTensor {
  const { fromLogits = false, labelSmoothing = 0, axis = -1 } = options
  const [a, p] = sameRank(yTrue, yPred)
  const t = smoothed(a, labelSmoothing, 0.5)
  return ops.mean(fromLogits ? ofLogits(t, p) : ofProbabilities(t, p), { axis })
}

/** `-log(sigmoid(x))` is `softplus(-x)`, exact however large x is. */
function ofLogits(t: SymbolicTensor, x: SymbolicTensor): SymbolicTensor {
  const positive = ops.multiply(t, ops.softplus(ops.negative(x)))
  return ops.add(positive, ops.multiply(ops.subtract(1, t), ops.softplus(x)))
}

function ofProbabilities(t: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const p = ops.clip(yPred, epsilon, 1 - epsilon)
  const positive = ops.multiply(t, ops.log(p))
  return ops.negative(ops.add(positive, ops.multiply(ops.subtract(1, t), ops.log(ops.subtract(1, p)))))
}

/**
 * Crossentropy of targets 0..1 and one prediction each: probabilities, clipped to 1e-7..1 - 1e-7, or logits where
 * `fromLogits` says so. `labelSmoothing` (default 0) moves targets towards 0.5.
 */
export class BinaryCrossentropy extends builtInLoss('BinaryCrossentropy', 'binary_crossentropy', {
  fromLogits: boolean(false),
  labelSmoothing: number({ default: 0, min: 0, max: 1 }),
  axis: integer({ default: -1 }),
}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.losses', BinaryCrossentropy, 'binary_crossentropy', 'bce', 'BCE')
