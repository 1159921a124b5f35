import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { sameRank } from '../losses/same-rank.ts'
import * as ops from '../ops/index.ts'
import { operandOf, type MetricValue } from './base.ts'
import { builtInMetric } from './built-in.ts'
import { MeanState } from './mean-state.ts'

/** The square root of the mean of `(yTrue - yPred)^2`. */
export class RootMeanSquaredError extends builtInMetric(
  'RootMeanSquaredError',
  'root_mean_squared_error',
  {},
  MeanState,
) {
  override readonly direction = 'down'

  override updateState(yTrue: MetricValue, yPred: MetricValue, sampleWeight?: MetricValue | null): void {
    const [t, p] = sameRank(operandOf(yTrue), operandOf(yPred))
    const squares = ops.square(ops.subtract(p, t))
    this.accumulate(squares, sampleWeight === undefined || sampleWeight === null ? null : operandOf(sampleWeight))
  }

  override result(): SymbolicTensor {
    return ops.sqrt(super.result())
  }
}
registerObject('keras.metrics', RootMeanSquaredError, 'root_mean_squared_error')
