import type { SymbolicTensor } from '../core/symbolic.ts'
import { sameRank } from '../losses/same-rank.ts'
import { MeanOf } from './mean-of.ts'

/** A function of targets and predictions, written in ops, that returns the values of the samples. */
export type MetricFunction = (yTrue: SymbolicTensor, yPred: SymbolicTensor) => SymbolicTensor

/** The mean of what a function returns. Files hold its name only. */
export class FunctionMetric extends MeanOf {
  /** The function. */
  readonly body: MetricFunction

  constructor(body: MetricFunction) {
    super({ name: body.name || 'metric' })
    this.body = body
  }

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return this.body(...sameRank(yTrue, yPred))
  }
}
