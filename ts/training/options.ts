import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'

/** 0 silent, 1 (or `'auto'`) a bar on a terminal and a line for each epoch elsewhere, 2 a line for each epoch. */
export type Verbose = 0 | 1 | 2 | 'auto'

/** Refuses options that do not exist. */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`${owner}: expected an object of options, received ${show(options)}`)
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw new ConfigError(`${owner}: unknown option '${unknown}'; expected one of ${known.join(', ')}`, {
      option: unknown,
    })
}

/** A whole number of at least `min`, or `undefined` where it was left out. */
export function wholeNumber(owner: string, option: string, value: unknown, min = 1): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value
  throw new ConfigError(`${owner}: '${option}' must be an integer >= ${min}. Received: ${show(value)}`, { option })
}

/** The verbosity that an option means. */
export function parseVerbose(owner: string, value: unknown, fallback: Verbose): 0 | 1 | 2 {
  const given = value ?? fallback
  if (given === 'auto') return 1
  if (given === 0 || given === 1 || given === 2) return given
  throw new ConfigError(`${owner}: 'verbose' must be 0, 1, 2 or 'auto'. Received: ${show(value)}`, {
    option: 'verbose',
  })
}

/** Refuses what is no AbortSignal. */
export function checkSignal(owner: string, signal: unknown): void {
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
    throw new ConfigError(`${owner}: 'signal' must be an AbortSignal. Received: ${show(signal)}`, { option: 'signal' })
  }
}
