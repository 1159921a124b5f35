import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'

/** `mean(x + log(1 + e^-2x) - log(2))` over the last axis, `x = yPred - yTrue`. */
export function logCosh(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  const x = ops.subtract(p, t)
  return ops.mean(ops.subtract(ops.add(x, ops.softplus(ops.multiply(x, -2))), Math.LN2), { axis: -1 })
}

/** The mean over the last axis of `log(cosh(yPred - yTrue))`: a square near 0, an absolute value far from it. */
export class LogCosh extends builtInLoss('LogCosh', 'log_cosh', {}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return logCosh(yTrue, yPred)
  }
}
registerObject('keras.losses', LogCosh, 'log_cosh', 'logcosh')
