import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { applyMask } from './apply-mask.ts'
import { divideNoNan } from './divide-no-nan.ts'
import type { Reduction } from './reduction.ts'
import { weightsLike } from './same-rank.ts'

/**
 * The values of the samples, weighted and reduced.
 *
 * @param outputMask The mask of the prediction; one that the values carry themselves counts as well.
 */
export function reduceWeighted(
  values: SymbolicTensor,
  reduction: Reduction,
  sampleWeight?: SymbolicTensor,
  outputMask?: SymbolicTensor,
): SymbolicTensor {
  const mask = outputMask && values.mask ? ops.logicalAnd(outputMask, values.mask) : (outputMask ?? values.mask)
  const merged = applyMask(mask, sampleWeight, reduction)
  let weighted = ops.cast(values, 'float32')
  let weights: SymbolicTensor | undefined
  if (merged) {
    const [x, w] = weightsLike(weighted, ops.cast(merged, 'float32'))
    weighted = ops.multiply(x, w)
    weights = w
  }
  if (reduction === 'none' || weighted.rank === 0) return weighted
  const total = ops.sum(weighted)
  if (reduction === 'sum') return total
  const divisor = reduction === 'mean_with_sample_weight' && weights ? ops.sum(weights) : ops.size(weighted)
  return divideNoNan(total, divisor)
}
