import { number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { sameRank } from './same-rank.ts'

/** The mean over the last axis of `x^2 / 2` where `|x| <= delta`, else `delta * |x| - delta^2 / 2`; `x = yPred - yTrue`. */
export function huber(yTrue: SymbolicTensor, yPred: SymbolicTensor, delta = 1): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  const x = ops.subtract(p, t)
  const distance = ops.abs(x)
  const near = ops.multiply(ops.square(x), 0.5)
  const far = ops.subtract(ops.multiply(distance, delta), 0.5 * delta * delta)
  return ops.mean(ops.where(ops.lessEqual(distance, delta), near, far), { axis: -1 })
}

/** A square up to `delta` (default 1), a straight line beyond it. */
export class Huber extends builtInLoss('Huber', 'huber_loss', { delta: number({ default: 1 }) }) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return huber(yTrue, yPred, this.config.delta)
  }
}
registerObject('keras.losses', Huber, 'huber')
