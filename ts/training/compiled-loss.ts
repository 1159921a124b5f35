import { ConfigError, ShapeError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import { getLoss, Loss, type LossInput } from '../losses/loss.ts'
import { Mean } from '../metrics/mean.ts'
import type { Metric } from '../metrics/base.ts'
import * as ops from '../ops/index.ts'
import { targetForm } from './binary-or-sparse.ts'
import type { LossOption, LossWeights } from './compile.ts'
import type { Outputs } from './outputs.ts'
import { isByOutput, pairWithOutputs } from './pair-with-outputs.ts'

/** The loss of one output. */
interface OutputLoss {
  /** Flat index of the output. */
  readonly index: number
  readonly name: string
  readonly weight: number | undefined
  /** Its mean over the batches so far, where the model has several losses. */
  readonly tracker: Mean | undefined
  /** `undefined` until the shapes decide what `'crossentropy'` stands for. */
  loss: Loss | undefined
}

/** The losses of a model's outputs and their weighted sum. */
export class CompiledLoss {
  readonly #losses: OutputLoss[]

  constructor(owner: string, given: LossOption | undefined, weights: LossWeights | undefined, outputs: Outputs) {
    const inputs = lossesOf(owner, given, outputs)
    const factors = weightsOf(owner, weights, outputs)
    const several = inputs.filter((input) => input !== null).length > 1
    this.#losses = inputs.flatMap((input, index) => {
      if (input === null) return []
      const name = outputs.flat[index]?.name as string
      const tracker = several ? new Mean({ name: `${name}_loss` }) : undefined
      return [
        {
          index,
          name,
          weight: factors?.[index] ?? undefined,
          tracker,
          loss: isChosenByShape(input) ? undefined : getLoss(input),
        },
      ]
    })
  }

  /** Whether any output has a loss. */
  get isEmpty(): boolean {
    return this.#losses.length === 0
  }

  /** Whether an output, by flat index, has a loss. */
  covers(index: number): boolean {
    return this.#losses.some((entry) => entry.index === index)
  }

  /** The running means of the losses of the outputs; none where there is one loss. */
  get trackers(): readonly Metric[] {
    return this.#losses.flatMap(({ tracker }) => (tracker ? [tracker] : []))
  }

  /** The weighted sum of the losses, written in ops. Takes each into its running mean. */
  compute(
    yTrue: readonly (SymbolicTensor | undefined)[],
    yPred: readonly SymbolicTensor[],
    sampleWeights: readonly (SymbolicTensor | undefined)[],
  ): SymbolicTensor | undefined {
    let total: SymbolicTensor | undefined
    for (const entry of this.#losses) {
      const [t, p] = [yTrue[entry.index] as SymbolicTensor, yPred[entry.index] as SymbolicTensor]
      entry.loss ??= getLoss(`${targetForm(t, p) === 'sparse' ? 'sparse_categorical' : targetForm(t, p)}_crossentropy`)
      const value = located(entry, () => scalar(entry.loss as Loss, t, p, sampleWeights[entry.index]))
      entry.tracker?.updateState(value, ops.size(p, { axis: 0 }))
      const weighted = entry.weight === undefined ? value : ops.multiply(value, entry.weight)
      total = total ? ops.add(total, weighted) : weighted
    }
    return total
  }
}

function scalar(
  loss: Loss,
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  sampleWeight: SymbolicTensor | undefined,
): SymbolicTensor {
  const value = loss.reduced(yTrue, yPred, sampleWeight)
  if (value.rank === 0) return value
  throw new ConfigError(
    `expected one number, received ${formatShape(value.shape)}: a loss to train with needs a reduction other than 'none'`,
  )
}

/** Says of which output and loss a mistake speaks. */
function located<R>({ name, loss }: OutputLoss, body: () => R): R {
  try {
    return body()
  } catch (error) {
    const message = `loss '${loss?.name}' of output '${name}': ${error instanceof Error ? error.message : String(error)}`
    if (error instanceof ShapeError) throw new ShapeError(message, { ...error.details, output: name }, { cause: error })
    if (error instanceof ConfigError)
      throw new ConfigError(message, { ...error.details, output: name }, { cause: error })
    throw error
  }
}

function isChosenByShape(input: LossInput): boolean {
  return typeof input === 'string' && ['crossentropy', 'ce'].includes(input.toLowerCase())
}

/** One loss for each output, in flat order. */
function lossesOf(owner: string, given: LossOption | undefined, outputs: Outputs): (LossInput | null)[] {
  if (given === undefined || given === null) return outputs.flat.map(() => null)
  if (!isByOutput(given)) return outputs.flat.map(() => given as LossInput)
  return pairWithOutputs({ owner, option: 'loss', complete: true }, given, outputs).map(
    (entry) => (entry ?? null) as LossInput | null,
  )
}

function weightsOf(owner: string, given: LossWeights | undefined, outputs: Outputs): (number | null)[] | undefined {
  if (given === undefined || given === null) return undefined
  const weights = isByOutput(given)
    ? pairWithOutputs({ owner, option: 'lossWeights', complete: true }, given, outputs)
    : [given]
  const fits =
    weights.length === outputs.flat.length &&
    weights.every((weight) => weight === null || (typeof weight === 'number' && Number.isFinite(weight)))
  if (fits) return weights as (number | null)[]
  throw new ConfigError(`${owner}: 'lossWeights' must be a finite number for each output. Received: ${show(given)}`, {
    option: 'lossWeights',
  })
}
