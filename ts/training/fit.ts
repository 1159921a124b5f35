import type { Structure } from '../core/tree.ts'
import { abortError } from '../native/program.ts'
import type { CallbackList, CallbacksInput } from './callbacks/callback-list.ts'
import type { Logs } from './callbacks/callback.ts'
import type { Shuffle } from './data/array-source.ts'
import type { ClassWeight } from './data/class-weight.ts'
import type { Batches, InputData, TargetData } from './data/types.ts'
import type { Epochs } from './epochs.ts'
import type { Verbose } from './options.ts'
import type { InputPlace } from './outputs.ts'
import type { StepPrograms } from './step-programs.ts'

/** What `fit` and `evaluate` take: data for the inputs, or batches that also hold the targets. */
export type FitData = InputData | Batches

/** Data to measure on after epochs: batches, or inputs, targets and weights of the samples. */
export type ValidationData = Batches | readonly [x: InputData, y?: TargetData, sampleWeight?: TargetData]

/** Options of `fit`. */
export interface FitOptions {
  /** Samples in a batch. Default 32; batches of an iterable stay as they are. */
  readonly batchSize?: number
  /** The number of the last epoch. Default 1. */
  readonly epochs?: number
  /** The number of epochs that count as done. Default 0. */
  readonly initialEpoch?: number
  /** Default `'auto'`. */
  readonly verbose?: Verbose
  readonly callbacks?: CallbacksInput
  /** The share of the samples, the last ones before mixing, that is measured on instead of trained with. Default 0. */
  readonly validationSplit?: number
  readonly validationData?: ValidationData
  /** Samples in a batch while measuring. Default: `batchSize`. */
  readonly validationBatchSize?: number
  /** Batches to measure on. Default: all. */
  readonly validationSteps?: number
  /** Measure after every so many epochs, or after the epochs listed, which count from 1. Default 1. */
  readonly validationFreq?: number | readonly number[]
  /** Mix the samples anew for each epoch. Default `true`; has no effect on iterables. */
  readonly shuffle?: Shuffle
  /** Weights of the samples by class, for models with one output. */
  readonly classWeight?: ClassWeight
  /** Weights of the samples: for each output, or one for all. */
  readonly sampleWeight?: TargetData
  /** Batches in an epoch. Default: as many as the data gives. */
  readonly stepsPerEpoch?: number
  /** Ends training early: the promise rejects with an AbortError, and the weights are those of the last finished step. */
  readonly signal?: AbortSignal
}

/** The names of {@link FitOptions}. */
export const fitOptions: readonly string[] = [
  'batchSize',
  'epochs',
  'initialEpoch',
  'verbose',
  'callbacks',
  'validationSplit',
  'validationData',
  'validationBatchSize',
  'validationSteps',
  'validationFreq',
  'shuffle',
  'classWeight',
  'sampleWeight',
  'stepsPerEpoch',
  'signal',
]

/** What training needs. */
export interface Training {
  readonly epochs: Epochs
  readonly programs: StepPrograms
  /** What programs are traced for; known when the first batch was read. */
  readonly places: () => Structure<InputPlace>
  readonly callbacks: CallbackList
  readonly signal: AbortSignal | undefined
  readonly firstEpoch: number
  readonly lastEpoch: number
  /** Measures after an epoch, where that is due. */
  readonly validate: (epoch: number) => Promise<Logs | undefined>
  /** Whether a callback asked for an end. */
  readonly stopped: () => boolean
  /** Called after the last epoch, before the callbacks hear of it. */
  readonly finish: () => void
}

/** Trains epoch after epoch. */
export async function runTraining(training: Training): Promise<void> {
  const { callbacks, firstEpoch, lastEpoch } = training
  await callbacks.call('onTrainBegin', {})
  let logs: Logs = {}
  for (let epoch = firstEpoch; epoch < lastEpoch; epoch++) {
    await callbacks.call('onEpochBegin', epoch, {})
    logs = await runEpoch(training)
    const measured = await training.validate(epoch)
    for (const [key, value] of Object.entries(measured ?? {})) logs[`val_${key}`] = value
    logs = Object.fromEntries(Object.entries(logs).sort(([a], [b]) => (a < b ? -1 : 1)))
    await callbacks.call('onEpochEnd', epoch, logs)
    if (training.stopped()) break
  }
  training.finish()
  await callbacks.call('onTrainEnd', logs)
}

async function runEpoch({ epochs, programs, places, callbacks, signal, stopped }: Training): Promise<Logs> {
  let logs: Logs = {}
  epochs.begin()
  for (let step = 0; ; step++) {
    const next = epochs.next()
    const batch = next instanceof Promise ? await next : next
    if (!batch) return logs
    if (signal?.aborted) throw abortError(signal)
    const program = programs.for(places(), batch)
    if (step === 0) await programs.reset()
    const begun = callbacks.call('onTrainBatchBegin', step, {})
    if (begun) await begun
    logs = await program.run(batch, signal)
    const ended = callbacks.call('onTrainBatchEnd', step, logs)
    if (ended) await ended
    if (stopped()) return logs
  }
}
