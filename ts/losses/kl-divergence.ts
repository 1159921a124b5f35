import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { sameRank } from './same-rank.ts'

/** `sum(yTrue * log(yTrue / yPred))` over the last axis, both clipped to 1e-7..1. */
export function klDivergence(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [a, b] = sameRank(yTrue, yPred)
  const t = ops.clip(ops.cast(a, 'float32'), epsilon, 1)
  const p = ops.clip(b, epsilon, 1)
  return ops.sum(ops.multiply(t, ops.log(ops.divide(t, p))), { axis: -1 })
}

/** The Kullback-Leibler divergence, summed over the last axis, of distributions clipped to 1e-7..1. */
export class KLDivergence extends builtInLoss('KLDivergence', 'kl_divergence', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return klDivergence(yTrue, yPred)
  }
}
registerObject('keras.losses', KLDivergence, 'kl_divergence', 'kullback_leibler_divergence', 'kld', 'KLD')
