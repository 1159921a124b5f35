import type { SymbolicTensor } from '../core/symbolic.ts'
import { Loss } from './base.ts'
import { sameRank } from './same-rank.ts'

/** A function of targets and predictions, written in ops, that returns the values of the samples. */
export type LossFunction = (yTrue: SymbolicTensor, yPred: SymbolicTensor) => SymbolicTensor

/** A loss made of a function. Files hold its name only. */
export class FunctionLoss extends Loss {
  /** The function. */
  readonly body: LossFunction

  constructor(body: LossFunction) {
    super({ name: body.name || 'loss' })
    this.body = body
  }

  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return this.body(...sameRank(yTrue, yPred))
  }
}
