import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import type { Shuffle } from './data/array-source.ts'
import { parseClassWeight } from './data/class-weight.ts'
import { parseSplit } from './data/validation-split.ts'
import { fitOptions, type FitOptions } from './fit.ts'
import { checkOptions, checkSignal, parseVerbose, wholeNumber } from './options.ts'

/** The options of `fit`, checked and complete. */
export interface FitSettings {
  readonly batchSize: number | undefined
  readonly firstEpoch: number
  readonly lastEpoch: number
  readonly stepsPerEpoch: number | undefined
  readonly verbose: 0 | 1 | 2
  readonly shuffle: Shuffle
  readonly split: number
  readonly classWeight: ReadonlyMap<number, number> | undefined
  readonly validationBatchSize: number | undefined
  readonly validationSteps: number | undefined
  /** Whether to measure after an epoch, counted from 1. */
  readonly measuresAfter: (epoch: number) => boolean
  readonly signal: AbortSignal | undefined
}

/** Checks the options of `fit`. */
export function fitSettings(owner: string, options: FitOptions): FitSettings {
  checkOptions(owner, options, fitOptions)
  checkSignal(owner, options.signal)
  const shuffle = options.shuffle ?? true
  if (![true, false, 'batch'].includes(shuffle))
    throw new ConfigError(`${owner}: 'shuffle' must be true, false or 'batch'. Received: ${show(shuffle)}`)
  const batchSize = wholeNumber(owner, 'batchSize', options.batchSize)
  return {
    batchSize,
    firstEpoch: wholeNumber(owner, 'initialEpoch', options.initialEpoch, 0) ?? 0,
    lastEpoch: wholeNumber(owner, 'epochs', options.epochs, 0) ?? 1,
    stepsPerEpoch: wholeNumber(owner, 'stepsPerEpoch', options.stepsPerEpoch),
    verbose: parseVerbose(owner, options.verbose, 'auto'),
    shuffle,
    split: options.validationData ? 0 : parseSplit(owner, options.validationSplit),
    classWeight: options.classWeight === undefined ? undefined : parseClassWeight(owner, options.classWeight),
    validationBatchSize: wholeNumber(owner, 'validationBatchSize', options.validationBatchSize) ?? batchSize,
    validationSteps: wholeNumber(owner, 'validationSteps', options.validationSteps),
    measuresAfter: dueEpochs(owner, options.validationFreq),
    signal: options.signal,
  }
}

function dueEpochs(owner: string, frequency: unknown): (epoch: number) => boolean {
  if (frequency === undefined || frequency === null) return () => true
  if (Array.isArray(frequency) && frequency.every((epoch) => Number.isSafeInteger(epoch)))
    return (epoch) => frequency.includes(epoch)
  const every = wholeNumber(owner, 'validationFreq', frequency) as number
  return (epoch) => epoch % every === 0
}

/** Refuses beside an iterable what it holds itself. */
export function checkBatchesAlone(owner: string, y: unknown, options: FitOptions): void {
  if (options.validationSplit)
    throw new ConfigError(`${owner}: 'validationSplit' needs arrays; give 'validationData' beside an iterable`)
  if (y !== undefined && y !== null)
    throw new ConfigError(`${owner}: expected no targets beside an iterable, which gives [x, y] itself`)
  if (options.sampleWeight !== undefined && options.sampleWeight !== null) {
    throw new ConfigError(
      `${owner}: expected no 'sampleWeight' beside an iterable, which gives [x, y, sampleWeight] itself`,
    )
  }
}
