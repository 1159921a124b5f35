import { DataError } from '../core/errors.ts'
import type { Source } from './data/source.ts'
import type { StepBatch } from './data/step-batch.ts'

/**
 * Deals the batches of a source out to epochs. Without a number of steps an epoch is one pass through the source. With
 * one, epochs go on where the one before stopped, and the source starts again when it is used up.
 */
export class Epochs {
  readonly #owner: string
  readonly #source: Source
  readonly #stepsPerEpoch: number | undefined
  #running = false
  #seen = 0
  #left = 0

  constructor(owner: string, source: Source, stepsPerEpoch: number | undefined) {
    this.#owner = owner
    this.#source = source
    this.#stepsPerEpoch = stepsPerEpoch
  }

  /** The number of batches of an epoch, where it is known. */
  get steps(): number | undefined {
    return this.#stepsPerEpoch ?? this.#source.steps
  }

  /** Starts an epoch. */
  begin(): void {
    if (!this.#running || this.#stepsPerEpoch === undefined) {
      this.#source.begin()
      this.#running = true
    }
    this.#seen = 0
    this.#left = this.#stepsPerEpoch ?? Infinity
  }

  /** The next batch of the epoch; `undefined` after the last. */
  next(): StepBatch | undefined | Promise<StepBatch | undefined> {
    if (this.#left === 0 || !this.#running) return this.#end()
    const batch = this.#source.next()
    return batch instanceof Promise ? batch.then((settled) => this.#count(settled)) : this.#count(batch)
  }

  /** Ends the work, whatever is left. */
  close(): void | Promise<void> {
    return this.#running ? this.#source.close() : undefined
  }

  #count(batch: StepBatch | undefined): StepBatch | undefined {
    if (!batch) {
      this.#running = false
      return this.#end()
    }
    this.#seen++
    this.#left--
    return batch
  }

  #end(): undefined {
    if (this.#seen === 0) {
      throw new DataError(
        `${this.#owner}: expected at least one batch in each epoch, received none; an iterable that can be read only once must be given as a function that makes it`,
      )
    }
    if (this.#stepsPerEpoch !== undefined && this.#seen < this.#stepsPerEpoch) {
      process.emitWarning(`the data ended after ${this.#seen} of ${this.#stepsPerEpoch} steps of an epoch`, {
        code: 'FERROGRAPH_DATA_ENDED',
      })
    }
    return undefined
  }
}
