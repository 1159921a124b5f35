import { ConfigError, ShapeError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { isSerializedObject } from '../core/registry.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { isPlainObject } from '../core/tree.ts'
import type { Metric } from '../metrics/base.ts'
import { getMetric, type MetricInput } from '../metrics/metric.ts'
import { targetForm } from './binary-or-sparse.ts'
import type { MetricsOption } from './compile.ts'
import type { Outputs } from './outputs.ts'
import { isByOutput, pairWithOutputs } from './pair-with-outputs.ts'

/** One metric of one output. */
interface OutputMetric {
  /** Flat index of the output. */
  readonly index: number
  readonly input: MetricInput
  readonly weighted: boolean
  /** `undefined` until the shapes decide what `'accuracy'` stands for. */
  metric: Metric | undefined
  /** The name in histories and logs. */
  readonly key: string
}

/** The metrics of a model's outputs. */
export class CompiledMetrics {
  readonly #entries: OutputMetric[] = []
  readonly #owner: string

  constructor(owner: string, plain: MetricsOption | undefined, weighted: MetricsOption | undefined, outputs: Outputs) {
    this.#owner = owner
    const used = new Map<string, number>()
    this.#add(metricsOf(owner, 'metrics', plain, outputs), false, outputs, used)
    this.#add(metricsOf(owner, 'weightedMetrics', weighted, outputs), true, outputs, used)
  }

  #add(
    lists: readonly (readonly MetricInput[])[],
    weighted: boolean,
    outputs: Outputs,
    used: Map<string, number>,
  ): void {
    const several = outputs.flat.length > 1
    lists.forEach((list, index) => {
      for (const input of list) {
        const metric = isChosenByShape(input) ? undefined : getMetric(input)
        if (metric && typeof input === 'string') metric.name = input
        const name = metric?.name ?? (input as string)
        const prefix = several ? `${outputs.flat[index]?.name}_` : ''
        this.#entries.push({ index, input, weighted, metric, key: uniqueKey(prefix, name, weighted, used) })
      }
    })
  }

  /** Whether an output, by flat index, has a metric. */
  covers(index: number): boolean {
    return this.#entries.some((entry) => entry.index === index)
  }

  /** The metrics; those that wait for shapes are left out. */
  get metrics(): readonly Metric[] {
    return this.#entries.flatMap(({ metric }) => (metric ? [metric] : []))
  }

  /** Whether larger or smaller is better for a name in histories and logs, where it is known. */
  directionOf(key: string): 'up' | 'down' | undefined {
    return this.#entries.find((entry) => entry.key === key)?.metric?.direction
  }

  /** Takes a batch into the metrics, written in ops. */
  update(
    yTrue: readonly (SymbolicTensor | undefined)[],
    yPred: readonly SymbolicTensor[],
    sampleWeights: readonly (SymbolicTensor | undefined)[],
  ): void {
    for (const entry of this.#entries) {
      const [t, p] = [yTrue[entry.index] as SymbolicTensor, yPred[entry.index] as SymbolicTensor]
      entry.metric ??= chosen(entry.input as string, t, p)
      try {
        entry.metric.updateState(t, p, entry.weighted ? sampleWeights[entry.index] : undefined)
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error
        throw new ShapeError(
          `metric '${entry.key}': ${error.message}`,
          { ...error.details, metric: entry.key },
          { cause: error },
        )
      }
    }
  }

  /** The metrics so far by name, written in ops. */
  results(): [key: string, value: SymbolicTensor][] {
    return this.#entries.map(({ key, metric }) => {
      const value = (metric as Metric).result()
      if (value.rank === 0) return [key, value]
      throw new ConfigError(`${this.#owner}: metric '${key}': expected its result to be one number, received ${value}`)
    })
  }
}

/** Keras's names: a name that a weighted metric shares gets `weighted_`, further ones are numbered. */
function uniqueKey(prefix: string, name: string, weighted: boolean, used: Map<string, number>): string {
  let key = `${prefix}${name}`
  if (weighted && used.has(key)) key = `${prefix}weighted_${name}`
  const count = used.get(key) ?? 0
  used.set(key, count + 1)
  return count === 0 ? key : `${key}_${count}`
}

function isChosenByShape(input: MetricInput): input is string {
  return typeof input === 'string' && ['accuracy', 'acc'].includes(input.toLowerCase())
}

function chosen(name: string, yTrue: SymbolicTensor, yPred: SymbolicTensor): Metric {
  const form = targetForm(yTrue, yPred)
  const metric = getMetric(`${form === 'sparse' ? 'sparse_categorical' : form}_accuracy`)
  metric.name = name
  return metric
}

/** A list of metrics for each output, in flat order. */
function metricsOf(owner: string, option: string, given: MetricsOption | undefined, outputs: Outputs): MetricInput[][] {
  if (given === undefined || given === null) return outputs.flat.map(() => [])
  if (!isByOutput(given)) {
    throw new ConfigError(`${owner}: '${option}' must be an array, or an object by output. Received: ${show(given)}`, {
      option,
    })
  }
  if (outputs.flat.length === 1 && Array.isArray(given)) return [listOf(given.flat() as unknown[])]
  return pairWithOutputs({ owner, option, complete: false }, given, outputs).map(listOf)
}

function listOf(entry: unknown): MetricInput[] {
  if (entry === undefined || entry === null) return []
  if (Array.isArray(entry)) return entry as MetricInput[]
  if (isPlainObject(entry) && !isSerializedObject(entry))
    throw new ConfigError(`expected a metric or a list of metrics for each output, received ${show(entry)}`)
  return [entry as MetricInput]
}
