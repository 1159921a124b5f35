import type { StepBatch } from './step-batch.ts'

/** Where the batches of one epoch after the other come from. */
export interface Source {
  /** The number of batches of one epoch, where it is known before the first ended. */
  readonly steps: number | undefined
  /** Starts an epoch. */
  begin(): void
  /** The next batch of the epoch; `undefined` after the last. A promise only where the data itself makes one wait. */
  next(): StepBatch | undefined | Promise<StepBatch | undefined>
  /** Ends an epoch before its last batch. */
  close(): void | Promise<void>
}
