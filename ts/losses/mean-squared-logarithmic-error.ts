import type { SymbolicTensor } from '../core/symbolic.ts'
import { registerObject } from '../core/serializable.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { sameRank } from './same-rank.ts'

/** `mean((log(max(yTrue, 1e-7) + 1) - log(max(yPred, 1e-7) + 1))^2)` over the last axis. */
export function meanSquaredLogarithmicError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  const logarithm = (x: SymbolicTensor): SymbolicTensor => ops.log(ops.add(ops.maximum(x, epsilon), 1))
  return ops.mean(ops.square(ops.subtract(logarithm(p), logarithm(t))), { axis: -1 })
}

/** The mean over the last axis of `(log(max(yTrue, 1e-7) + 1) - log(max(yPred, 1e-7) + 1))^2`. */
export class MeanSquaredLogarithmicError extends builtInLoss(
  'MeanSquaredLogarithmicError',
  'mean_squared_logarithmic_error',
  {},
) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return meanSquaredLogarithmicError(yTrue, yPred)
  }
}
registerObject('keras.losses', MeanSquaredLogarithmicError, 'mean_squared_logarithmic_error', 'msle', 'MSLE')
