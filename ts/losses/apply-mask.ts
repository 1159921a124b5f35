import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { divideNoNan } from './divide-no-nan.ts'
import type { Reduction } from './reduction.ts'
import { weightsLike } from './same-rank.ts'

/**
 * A mask as weights, together with those of the samples. For means the elements that count get weight total / valid,
 * so that dividing by the number of all elements gives the mean over those that count.
 */
export function applyMask(
  mask: SymbolicTensor | undefined,
  sampleWeight: SymbolicTensor | undefined,
  reduction: Reduction,
): SymbolicTensor | undefined {
  if (!mask) return sampleWeight
  let weights = ops.cast(mask, 'float32')
  if (reduction === 'mean' || reduction === 'sum_over_batch_size') {
    weights = ops.multiply(weights, divideNoNan(ops.size(mask), ops.sum(weights)))
  }
  if (!sampleWeight) return weights
  const given = ops.cast(sampleWeight, 'float32')
  const [a, b] = weights.rank >= given.rank ? weightsLike(weights, given) : weightsLike(given, weights)
  return ops.multiply(a, b)
}
