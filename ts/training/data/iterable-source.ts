import { DataError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { rowsOf, type Columns } from './read.ts'
import type { Source } from './source.ts'
import { cut, type StepBatch } from './step-batch.ts'
import type { Batch, Batches } from './types.ts'

/** Batches from an iterable, an async iterable or a function that makes one. */
export class IterableSource implements Source {
  readonly steps = undefined
  readonly #owner: string
  readonly #batches: Batches
  readonly #read: (batch: Batch) => Columns
  #iterator: Iterator<Batch> | AsyncIterator<Batch> | undefined

  constructor(owner: string, batches: Batches, read: (batch: Batch) => Columns) {
    this.#owner = owner
    this.#batches = batches
    this.#read = read
  }

  begin(): void {
    const made = typeof this.#batches === 'function' ? this.#batches() : this.#batches
    if (typeof made !== 'object' || made === null || !(Symbol.asyncIterator in made || Symbol.iterator in made)) {
      throw new DataError(
        `${this.#owner}: expected the function to return an iterable of batches, received ${show(made)}`,
      )
    }
    this.#iterator = Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]()
  }

  next(): StepBatch | undefined | Promise<StepBatch | undefined> {
    const result = this.#iterator?.next()
    return result instanceof Promise
      ? result.then((settled) => this.#prepare(settled))
      : result && this.#prepare(result)
  }

  async close(): Promise<void> {
    const iterator = this.#iterator
    this.#iterator = undefined
    await iterator?.return?.()
  }

  #prepare(result: IteratorResult<Batch>): StepBatch | undefined {
    if (result.done) {
      this.#iterator = undefined
      return undefined
    }
    const batch: unknown = result.value
    if (!Array.isArray(batch) || batch.length < 1 || batch.length > 3) {
      throw new DataError(
        `${this.#owner}: expected batches [x], [x, y] or [x, y, sampleWeight], received ${show(batch)}`,
      )
    }
    const columns = this.#read(batch as unknown as Batch)
    return cut(columns, 0, rowsOf(this.#owner, columns))
  }
}
