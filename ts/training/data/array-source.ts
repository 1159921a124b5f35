import { nextSeed } from '../../core/seed.ts'
import { permutation, permutationWithinBatches } from './permutation.ts'
import type { Columns } from './read.ts'
import type { Source } from './source.ts'
import { cut, type StepBatch } from './step-batch.ts'

/** Whether rows are mixed anew for each epoch; `'batch'` mixes within batches only. */
export type Shuffle = boolean | 'batch'

/** Batches cut from arrays; arrays without rows give one batch without rows. */
export class ArraySource implements Source {
  readonly steps: number
  readonly #columns: Columns
  readonly #rows: number
  readonly #batchSize: number
  readonly #shuffle: Shuffle
  #order: Uint32Array | undefined
  #start = 0
  #begun = false

  constructor(columns: Columns, rows: number, batchSize: number, shuffle: Shuffle) {
    this.#columns = columns
    this.#rows = rows
    this.#batchSize = batchSize
    this.#shuffle = shuffle
    this.steps = Math.max(1, Math.ceil(rows / batchSize))
  }

  begin(): void {
    this.#start = 0
    this.#begun = false
    if (this.#shuffle === 'batch') this.#order = permutationWithinBatches(this.#rows, this.#batchSize, nextSeed())
    else this.#order = this.#shuffle ? permutation(this.#rows, nextSeed()) : undefined
  }

  next(): StepBatch | undefined {
    const start = this.#start
    if (start >= this.#rows && (this.#begun || this.#rows > 0)) return undefined
    this.#begun = true
    this.#start = Math.min(start + this.#batchSize, this.#rows)
    return cut(this.#columns, start, this.#start, this.#order)
  }

  close(): void {}
}
