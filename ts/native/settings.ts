import { addon } from './addon.ts'
import { translated } from './errors.ts'

/** How the native core works on this machine. */
export interface Settings {
  /** Threads that compute. Default: the physical cores, or what a container allows. */
  readonly threads: number
  /** The instruction set in use; the environment variable `FERROGRAPH_SIMD` chooses a smaller one. */
  readonly simd: string
  /** Largest number of bytes that all tensors together may take. Default: 80 % of what the machine or container has. */
  readonly memoryLimit: number
  /** Bytes that tensors take now. */
  readonly allocatedBytes: number
  /** Version of the native core. */
  readonly version: string
}

/** Reads the settings. */
export function settings(): Settings {
  return translated(() => addon.settings())
}

/** Sets how many threads compute; results do not depend on it. */
export function setThreads(threads: number): void {
  translated(() => addon.setThreads(threads))
}

/** Sets how many bytes all tensors together may take; what would need more is a `DataError`. */
export function setMemoryLimit(bytes: number): void {
  translated(() => addon.setMemoryLimit(bytes))
}
