import { DataError } from '../core/errors.ts'
import { flatten, packLike, type Structure } from '../core/tree.ts'
import { formatShape, type DType, type TypedArray } from '../core/types.ts'
import { abortError, type Program } from '../native/program.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import { Trace } from '../native/trace.ts'
import type { CallbackList, CallbacksInput } from './callbacks/callback-list.ts'
import type { StepBatch } from './data/step-batch.ts'
import type { DirectInputs } from './direct.ts'
import type { Epochs } from './epochs.ts'
import type { Verbose } from './options.ts'
import { traceModel, type InputPlace } from './outputs.ts'
import type { Trainable } from './trainable.ts'

/** Options of `predict`. */
export interface PredictOptions {
  /** Samples in a batch. Default 32. */
  readonly batchSize?: number
  /** Stop after this many batches. Default: all. */
  readonly steps?: number
  /** Default 0: unlike Keras, prediction prints nothing unless it is asked to. */
  readonly verbose?: Verbose
  readonly callbacks?: CallbacksInput
  /** Ends the work early: the promise rejects with an AbortError. */
  readonly signal?: AbortSignal
}

/** The names of {@link PredictOptions}. */
export const predictOptions: readonly string[] = ['batchSize', 'steps', 'verbose', 'callbacks', 'signal']

/** A tensor, or tensors in the structure of the model's outputs. */
export type Prediction = Tensor & Tensor[] & { [output: string]: Tensor }

/** The program that computes a model's outputs. */
export class PredictProgram {
  readonly #program: Program
  readonly #structure: Structure<unknown>
  readonly #form: 'one' | 'list' | 'nested'

  constructor(model: Trainable, places: Structure<InputPlace>) {
    const trace = new Trace(`prediction of '${model.name}'`)
    const outputs = trace.within(() => traceModel(trace, model, places).outputs)
    this.#program = trace.compile(flatten(outputs))
    this.#structure = packLike(
      outputs,
      flatten(outputs).map(() => undefined),
    )
    const plain = (part: unknown): boolean => part === undefined
    if (plain(this.#structure)) this.#form = 'one'
    else this.#form = Array.isArray(this.#structure) && this.#structure.every(plain) ? 'list' : 'nested'
  }

  /** The outputs of one batch, flat, computed on the library's own threads. */
  run({ inputs }: StepBatch, signal?: AbortSignal): Promise<Tensor[]> {
    return this.#program.run(inputs, signal)
  }

  /** The same on the calling thread. */
  runSync({ inputs }: StepBatch): Tensor[] {
    return this.#program.runSync(inputs)
  }

  /** The same for small plain inputs, packed; `undefined`, and nothing has run, where they are not small. */
  runDirectly({ rows, elements }: DirectInputs, types: readonly DType[]): Prediction | undefined {
    const outputs = this.#program.runStaged(rows, elements, types)
    return outputs && this.pack(outputs)
  }

  /** The steps for such a batch, for people; with `runs`, timed. */
  describe({ inputs }: StepBatch, runs: number | undefined): string {
    return this.#program.describe(inputs, runs)
  }

  /** Flat outputs in the structure of the model's. */
  pack(outputs: readonly Tensor[]): Prediction {
    // Most models have one output or a list of them.
    if (this.#form === 'one') return outputs[0] as Prediction
    if (this.#form === 'list') return outputs as Prediction
    return packLike(this.#structure, outputs) as unknown as Prediction
  }
}

/** What prediction needs. */
export interface PredictPass {
  readonly epochs: Epochs
  readonly program: () => PredictProgram
  readonly callbacks: CallbackList
  readonly signal: AbortSignal | undefined
}

/**
 * Computes the outputs batch by batch and joins them. Without callbacks the first batch is under way when this returns
 * its promise.
 */
export async function runPrediction({ epochs, program, callbacks, signal }: PredictPass): Promise<Prediction> {
  const begun = callbacks.call('onPredictBegin', {})
  if (begun) await begun
  const batches: Tensor[][] = []
  epochs.begin()
  for (let step = 0; ; step++) {
    const next = epochs.next()
    const batch = next instanceof Promise ? await next : next
    if (!batch) break
    if (signal?.aborted) throw abortError(signal)
    const begun = callbacks.call('onPredictBatchBegin', step, {})
    if (begun) await begun
    batches.push(await program().run(batch, signal))
    const ended = callbacks.call('onPredictBatchEnd', step, {})
    if (ended) await ended
  }
  const ended = callbacks.call('onPredictEnd', {})
  if (ended) await ended
  return program().pack(joined(batches))
}

/** The outputs of several batches, each joined along its first axis. */
export function joined(batches: readonly (readonly Tensor[])[]): Tensor[] {
  const [first = []] = batches
  return first.map((output, i) => (batches.length === 1 ? output : join(batches.map((batch) => batch[i] as Tensor))))
}

function join(parts: readonly Tensor[]): Tensor {
  const [{ shape, dtype }] = parts as [Tensor]
  const other = parts.find(
    (part) =>
      part.shape.length !== shape.length || part.shape.some((extent, axis) => axis > 0 && extent !== shape[axis]),
  )
  if (other || shape.length === 0) {
    const received = parts.map((part) => formatShape(part.shape))
    throw new DataError(
      `predict: expected outputs that can be joined along their first axis, received ${[...new Set(received)].join(' and ')}`,
    )
  }
  const rows = parts.reduce((n, part) => n + (part.shape[0] as number), 0)
  const size = parts.reduce((n, part) => n + part.size, 0)
  const whole: TypedArray =
    dtype === 'float32' ? new Float32Array(size) : dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part.elements, at)
    at += part.size
    part.dispose()
  }
  return tensor(whole, [rows, ...shape.slice(1)], dtype)
}
