import { Callable } from '../core/callable.ts'
import { ConfigError } from '../core/errors.ts'
import { show, toSnakeCase } from '../core/names.ts'
import { tensorsOf } from '../core/node.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import { Tensor, tensor, type TensorLike } from '../native/tensor.ts'
import { currentTrace } from '../native/trace.ts'
import { runNow } from '../ops/op.ts'
import { reduceWeighted } from './reduce-weighted.ts'
import { parseReduction, type Reduction, type ReductionInput } from './reduction.ts'

/** Options that every loss takes. */
export interface LossConfig {
  /** Default: the class's name in snake case. */
  readonly name?: string
  /** How the values of the samples become one. Default `'sum_over_batch_size'`. */
  readonly reduction?: ReductionInput
}

/** Losses are functions: of symbolic tensors while a graph is traced, of data at once. */
export interface Loss {
  (yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor | null): SymbolicTensor
  (yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null): Tensor
}

/**
 * The base of all losses. One of your own extends it and computes the values of the samples in `call`, written in ops:
 *
 * ```ts
 * class Quartic extends Loss {
 *   override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
 *     return ops.mean(ops.power(ops.subtract(yTrue, yPred), 4), { axis: -1 })
 *   }
 * }
 * ```
 */
export abstract class Loss extends Callable {
  readonly config: { readonly name: string; readonly reduction: Reduction }

  constructor(config: LossConfig = {}) {
    super()
    const owner = new.target.name
    const reduction = config.reduction === undefined ? 'sum_over_batch_size' : parseReduction(config.reduction)
    if (!reduction)
      throw new ConfigError(
        `${owner}: 'reduction' must be the name of a reduction. Received: ${show(config.reduction)}`,
      )
    this.config = { name: config.name ?? toSnakeCase(owner), reduction }
  }

  /** The name. */
  get name(): string {
    return this.config.name
  }

  /** The values of the samples, `[batch, ...]`, written in ops. A mask on the result leaves elements out. */
  abstract call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor

  /**
   * The loss, a scalar unless the reduction is `'none'`, written in ops.
   *
   * @param sampleWeight Weights that broadcast against the values of the samples, batch first.
   */
  reduced(yTrue: SymbolicTensor, yPred: SymbolicTensor, sampleWeight?: SymbolicTensor | null): SymbolicTensor {
    const values = this.call(yTrue, yPred)
    return reduceWeighted(values, this.config.reduction, sampleWeight ?? undefined, yPred.mask)
  }

  /** @internal */
  protected override invokeCall(
    yTrue: unknown,
    yPred: unknown,
    sampleWeight?: unknown,
  ): Structure<SymbolicTensor> | Structure<Tensor> {
    const given = [yTrue, yPred, sampleWeight].filter((value) => value !== undefined && value !== null)
    const call = (args: readonly unknown[]): SymbolicTensor =>
      this.reduced(...(args as [SymbolicTensor, SymbolicTensor, SymbolicTensor?]))
    if (tensorsOf({ args: given, kwargs: {} }).length > 0 || currentTrace()) return call(given)
    const data = given.map((value) => tensor(value as TensorLike))
    return runNow(this.name, { args: data, kwargs: {} }, ({ args }) => call(args))
  }

  /** The options from which the constructor makes the loss again, as plain JSON. */
  getConfig(): Record<string, unknown> {
    return { ...this.config }
  }

  /** Makes a loss from what {@link Loss.getConfig} returned. */
  static fromConfig(this: new (config: never) => Loss, config: Record<string, unknown>): Loss {
    return new this(config as never)
  }
}
