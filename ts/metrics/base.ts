import { toSnakeCase } from '../core/names.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import type { DType } from '../core/types.ts'
import { Tensor, tensor, zeros, type TensorLike } from '../native/tensor.ts'
import { withoutTrace } from '../native/trace.ts'
import { Variable } from '../native/variable.ts'

/** What a metric is given: symbolic tensors while a program is traced, or data. */
export type MetricValue = SymbolicTensor | TensorLike

/** Options that every metric takes. */
export interface MetricConfig {
  /** The name in histories and logs. Default: the class's name in snake case. */
  readonly name?: string
}

/**
 * The base of all metrics: state in variables, updated batch by batch, and a result made of it, both written in ops.
 *
 * ```ts
 * class Largest extends Metric {
 *   largest = this.addVariable('largest')
 *   override updateState(_yTrue: SymbolicTensor, yPred: SymbolicTensor): void {
 *     this.largest.assign(ops.maximum(this.largest, ops.max(yPred)))
 *   }
 *   override result(): SymbolicTensor {
 *     return ops.multiply(this.largest, 1)
 *   }
 * }
 * ```
 */
export abstract class Metric {
  /** Whether larger (`'up'`) or smaller (`'down'`) is better, for callbacks that watch the metric. */
  readonly direction: 'up' | 'down' | undefined = undefined
  /** @internal The options; classes of the library have more. */
  readonly config: { readonly name: string }
  readonly #variables: Variable[] = []
  #name: string | undefined

  constructor(config: MetricConfig = {}) {
    this.config = { name: config.name ?? toSnakeCase(new.target.name) }
  }

  /** The name in histories and logs. */
  get name(): string {
    return this.#name ?? this.config.name
  }

  set name(name: string) {
    this.#name = name
  }

  /** The state, in the order in which it was made. */
  get variables(): readonly Variable[] {
    return this.#variables
  }

  /** Makes a variable of zeros for the state. */
  addVariable(name: string, shape: readonly number[] = [], dtype: DType = 'float32'): Variable {
    const variable = new Variable(
      name,
      withoutTrace(() => zeros(shape, dtype)),
      { trainable: false },
    )
    variable.path = `${this.name}/${name}`
    this.#variables.push(variable)
    return variable
  }

  /**
   * Takes a batch into the state, written in ops: `variable.assign(...)`.
   *
   * @param sampleWeight Weights that broadcast against the values of the samples, batch first.
   */
  abstract updateState(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor | null): void

  /** The metric so far, a scalar, written in ops. */
  abstract result(): SymbolicTensor

  /** Sets the state back to what it was before the first batch. */
  resetState(): void {
    for (const variable of this.#variables) variable.assign(withoutTrace(() => zeros(variable.shape, variable.dtype)))
  }

  /** The metric so far, as a number. */
  value(): number {
    return (withoutTrace(() => this.result()) as unknown as Tensor).item()
  }

  /** The options from which the constructor makes the metric again, as plain JSON. */
  getConfig(): Record<string, unknown> {
    return { name: this.name }
  }

  /** Makes a metric from what {@link Metric.getConfig} returned. */
  static fromConfig(this: new (config: never) => Metric, config: Record<string, unknown>): Metric {
    return new this(config as never)
  }
}

/** A value as ops take it. Data becomes a tensor, on which ops run at once and behave as on symbolic ones. */
export function operandOf(value: MetricValue): SymbolicTensor {
  return value instanceof SymbolicTensor ? value : (tensor(value) as unknown as SymbolicTensor)
}
