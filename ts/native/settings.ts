import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { addon } from './addon.ts'
import { translated } from './errors.ts'

/**
 * How large 3 x 3 convolutions are computed.
 *
 * - `'fast'`: by Winograd's method F(4x4, 3x3). Its largest error is up to twice that of plain sums of float32 products.
 * - `'strict'`: by F(2x2, 3x3), up to twice as slow, or plain sums; with no larger error than plain sums have.
 */
export type Precision = 'fast' | 'strict'

/** How the native core works on this machine. */
export interface Settings {
  /** Threads that compute. Default: the physical cores, or what a container allows. */
  readonly threads: number
  /** The instruction set in use; the environment variable `FERROGRAPH_SIMD` chooses a smaller one. */
  readonly simd: string
  /** How large convolutions are computed. Default `'fast'`. */
  readonly precision: Precision
  /** Largest number of bytes that all tensors together may take. Default: 80 % of what the machine or container has. */
  readonly memoryLimit: number
  /** Bytes that tensors take now. */
  readonly allocatedBytes: number
  /** Version of the native core. */
  readonly version: string
}

let current: Precision = 'fast'

/** Reads the settings. */
export function settings(): Settings {
  return { ...translated(() => addon.settings()), precision: current }
}

/** Sets how many threads compute; results do not depend on it. */
export function setThreads(threads: number): void {
  translated(() => addon.setThreads(threads))
}

/** Sets how many bytes all tensors together may take; what would need more is a `DataError`. */
export function setMemoryLimit(bytes: number): void {
  translated(() => addon.setMemoryLimit(bytes))
}

/**
 * Sets how large convolutions are computed, in every model and op of this process from the next batch on. Files do not
 * record it.
 *
 * @throws ConfigError when it is neither `'fast'` nor `'strict'`.
 */
export function setPrecision(precision: Precision): void {
  if (precision !== 'fast' && precision !== 'strict') {
    throw new ConfigError(`setPrecision: expected 'fast' or 'strict', received ${show(precision)}`, { option: 'precision' })
  }
  current = precision
}

/** How large convolutions are computed now. */
export function currentPrecision(): Precision {
  return current
}
