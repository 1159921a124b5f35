import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { sameRank } from './same-rank.ts'

/** `mean(yPred - yTrue * log(yPred + 1e-7))` over the last axis. */
export function poisson(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  return ops.mean(ops.subtract(p, ops.multiply(t, ops.log(ops.add(p, epsilon)))), { axis: -1 })
}

/** The mean over the last axis of `yPred - yTrue * log(yPred + 1e-7)`. */
export class Poisson extends builtInLoss('Poisson', 'poisson', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return poisson(yTrue, yPred)
  }
}
registerObject('keras.losses', Poisson, 'poisson')
