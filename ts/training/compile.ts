import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { LossInput } from '../losses/loss.ts'
import type { Metric } from '../metrics/base.ts'
import { Mean } from '../metrics/mean.ts'
import type { MetricInput } from '../metrics/metric.ts'
import { getOptimizer, type Optimizer, type OptimizerInput } from '../optimizers/optimizer.ts'
import type { Variable } from '../native/variable.ts'
import { CompiledLoss } from './compiled-loss.ts'
import { CompiledMetrics } from './compiled-metrics.ts'
import { checkOptions } from './options.ts'
import type { Outputs } from './outputs.ts'

/** One loss for all outputs, a list in the declared order of the outputs, or an object by their names; `null` for none. */
export type LossOption =
  LossInput | readonly (LossInput | null)[] | { readonly [output: string]: LossInput | null } | null

/** Factors of the losses in their sum, in the same forms. */
export type LossWeights = number | readonly number[] | { readonly [output: string]: number } | null

/** A list of metrics for the only output; for several, a list with an entry for each or an object by their names. */
export type MetricsOption =
  | readonly (MetricInput | readonly MetricInput[] | null)[]
  | { readonly [output: string]: MetricInput | readonly MetricInput[] | null }
  | null

/** Options of `compile`. */
export interface CompileOptions {
  /** A name or an object. Default `'rmsprop'`. */
  readonly optimizer?: OptimizerInput
  /** What training makes small. Default: only what layers add with `addLoss`, and regularizers. */
  readonly loss?: LossOption
  /** Factors of the losses in their sum. Default 1. */
  readonly lossWeights?: LossWeights
  /** What is reported beside the loss, without the weights of the samples. */
  readonly metrics?: MetricsOption
  /** What is reported with the weights of the samples. */
  readonly weightedMetrics?: MetricsOption
}

/** What `compile` set: optimizer, losses and metrics, tied to the outputs once these are known. */
export class Compiled {
  readonly options: CompileOptions
  readonly optimizer: Optimizer
  /** The mean of the loss over the batches so far. */
  readonly lossTracker: Mean = new Mean({ name: 'loss' })
  /** What `fit` changes: the trainable weights when the model was compiled, or when it was built after that. */
  trained: readonly Variable[] | undefined
  readonly #owner: string
  #outputs: Outputs | undefined
  #loss: CompiledLoss | undefined
  #metrics: CompiledMetrics | undefined

  constructor(owner: string, options: CompileOptions) {
    this.#owner = owner
    checkOptions(`${owner}: compile`, options, ['optimizer', 'loss', 'lossWeights', 'metrics', 'weightedMetrics'])
    for (const key of ['metrics', 'weightedMetrics'] as const) {
      const given: unknown = options[key]
      if (given !== undefined && given !== null && typeof given !== 'object') {
        throw new ConfigError(`${owner}: '${key}' must be an array, or an object by output. Received: ${show(given)}`, {
          option: key,
        })
      }
    }
    this.options = options
    this.optimizer = getOptimizer(options.optimizer ?? 'rmsprop')
  }

  /** Ties losses and metrics to the outputs, once. */
  connect(outputs: Outputs): void {
    if (this.#outputs) return
    const { loss, lossWeights, metrics, weightedMetrics } = this.options
    this.#loss = new CompiledLoss(this.#owner, loss, lossWeights, outputs)
    this.#metrics = new CompiledMetrics(this.#owner, metrics, weightedMetrics, outputs)
    this.#outputs = outputs
  }

  /** The outputs, once they are known. */
  get outputs(): Outputs | undefined {
    return this.#outputs
  }

  get loss(): CompiledLoss {
    return this.#loss as CompiledLoss
  }

  get metrics(): CompiledMetrics {
    return this.#metrics as CompiledMetrics
  }

  /** Whether an output, by flat index, needs targets. */
  needsTarget(index: number): boolean {
    return this.loss.covers(index) || this.metrics.covers(index)
  }

  /** Everything that has state to be reset before an epoch. */
  get stateful(): readonly Metric[] {
    return [this.lossTracker, ...this.loss.trackers, ...this.metrics.metrics]
  }

  /** Everything reported, by name, sorted as Keras sorts its histories. */
  results(): [key: string, value: SymbolicTensor][] {
    const trackers = [this.lossTracker, ...this.loss.trackers].map((metric): [string, SymbolicTensor] => [
      metric.name,
      metric.result(),
    ])
    return [...trackers, ...this.metrics.results()].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Whether larger or smaller is better for a name in histories and logs, where it is known. */
  directionOf(key: string): 'up' | 'down' | undefined {
    if (key === 'loss' || this.#loss?.trackers.some(({ name }) => name === key)) return 'down'
    return this.#metrics?.directionOf(key)
  }
}
