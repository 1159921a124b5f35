import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { Metric, operandOf, type MetricValue } from './base.ts'
import { builtInMetric } from './built-in.ts'
import { samplewise } from './mean-state.ts'

/** The weighted sum of values. */
export class Sum extends builtInMetric('Sum', 'sum', {}, Metric) {
  /** The sum so far. */
  readonly total: Variable = this.addVariable('total')

  /**
   * @param values A scalar or `[batch, ...]`.
   * @param sampleWeight Weights that broadcast against them.
   */
  override updateState(values: MetricValue, sampleWeight?: MetricValue | null): void {
    const weights = sampleWeight === undefined || sampleWeight === null ? null : operandOf(sampleWeight)
    const [x] = samplewise(operandOf(values), weights, ops.sum)
    this.total.assign(ops.add(this.total, ops.sum(x)))
  }

  override result(): SymbolicTensor {
    return ops.multiply(this.total, 1)
  }
}
registerObject('keras.metrics', Sum, 'sum')
