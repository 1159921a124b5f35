import { abortError } from '../native/program.ts'
import type { CallbackList, CallbacksInput } from './callbacks/callback-list.ts'
import type { Logs } from './callbacks/callback.ts'
import type { Epochs } from './epochs.ts'
import type { Verbose } from './options.ts'
import type { TargetData } from './data/types.ts'
import type { InputPlace } from './outputs.ts'
import type { StepPrograms } from './step-programs.ts'
import type { Structure } from '../core/tree.ts'

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Samples in a batch. Default 32. */
  readonly batchSize?: number
  /** Weights of the samples: for each output, or one for all. */
  readonly sampleWeight?: TargetData
  /** Stop after this many batches. Default: all. */
  readonly steps?: number
  /** Default `'auto'`. */
  readonly verbose?: Verbose
  readonly callbacks?: CallbacksInput
  /** Ends the work early: the promise rejects with an AbortError. */
  readonly signal?: AbortSignal
}

/** The names of {@link EvaluateOptions}. */
export const evaluateOptions: readonly string[] = [
  'batchSize',
  'sampleWeight',
  'steps',
  'verbose',
  'callbacks',
  'signal',
]

/** What one pass needs. */
export interface Pass {
  readonly epochs: Epochs
  readonly programs: StepPrograms
  /** What programs are traced for; known when the first batch was read. */
  readonly places: () => Structure<InputPlace>
  readonly callbacks: CallbackList
  readonly signal: AbortSignal | undefined
}

/** Measures loss and metrics over one pass. */
export async function runEvaluation({ epochs, programs, places, callbacks, signal }: Pass): Promise<Logs> {
  await callbacks.call('onTestBegin', {})
  let logs: Logs = {}
  epochs.begin()
  for (let step = 0; ; step++) {
    const next = epochs.next()
    const batch = next instanceof Promise ? await next : next
    if (!batch) break
    if (signal?.aborted) throw abortError(signal)
    const program = programs.for(places(), batch)
    if (step === 0) await programs.reset()
    const begun = callbacks.call('onTestBatchBegin', step, {})
    if (begun) await begun
    logs = await program.run(batch, signal)
    const ended = callbacks.call('onTestBatchEnd', step, logs)
    if (ended) await ended
  }
  await callbacks.call('onTestEnd', logs)
  return logs
}
