import type { SymbolicTensor } from '../core/symbolic.ts'
import { applyMask } from '../losses/apply-mask.ts'
import { operandOf, type MetricValue } from './base.ts'
import { MeanState } from './mean-state.ts'

/**
 * The base of metrics that are the weighted mean of a value for each sample. Masked elements do not count: in training as
 * in evaluation, where Keras with its JAX backend forgets the mask while it trains.
 */
export abstract class MeanOf extends MeanState {
  /** The values of the samples, `[batch, ...]`, written in ops. */
  protected abstract values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor

  override updateState(yTrue: MetricValue, yPred: MetricValue, sampleWeight?: MetricValue | null): void {
    const prediction = operandOf(yPred)
    const weights = sampleWeight === undefined || sampleWeight === null ? undefined : operandOf(sampleWeight)
    this.accumulate(this.values(operandOf(yTrue), prediction), applyMask(prediction.mask, weights, 'sum'))
  }
}
