import { registerObject } from '../core/serializable.ts'
import { builtInMetric } from './built-in.ts'
import { operandOf, type MetricValue } from './base.ts'
import { MeanState } from './mean-state.ts'

/** The weighted mean of values. */
export class Mean extends builtInMetric('Mean', 'mean', {}, MeanState) {
  /**
   * @param values A scalar or `[batch, ...]`.
   * @param sampleWeight Weights that broadcast against them.
   */
  override updateState(values: MetricValue, sampleWeight?: MetricValue | null): void {
    this.accumulate(
      operandOf(values),
      sampleWeight === undefined || sampleWeight === null ? null : operandOf(sampleWeight),
    )
  }
}
registerObject('keras.metrics', Mean, 'mean')
