import { Callback, type Logs } from './callback.ts'
import { progressLine } from './progress-line.ts'

/** Where a progress bar writes. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const secondsBetweenUpdates = 0.05

/**
 * Shows how far training, evaluation or prediction has come. On a terminal a bar moves; elsewhere, and with `verbose: 2`,
 * each pass is one line when it has ended. The environment variable `NO_COLOR` turns colours off.
 */
export class ProgressBar extends Callback {
  readonly #stream: ProgressStream
  #training = false
  #started = 0
  #afterFirst = 0
  #shown = 0
  #step = 0
  #steps: number | undefined
  #width = 0

  constructor(options: { readonly stream?: ProgressStream } = {}) {
    super()
    this.#stream = options.stream ?? process.stdout
  }

  override onTrainBegin(): void {
    this.#training = true
    this.#steps = this.params.steps
  }

  override onEpochBegin(epoch: number): void {
    this.#begin()
    if (this.params.verbose > 0 && this.params.epochs > 1)
      this.#stream.write(`Epoch ${epoch + 1}/${this.params.epochs}\n`)
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void {
    this.#update(batch, logs)
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.#end(logs)
  }

  override onTestBegin(): void {
    if (this.#training) return
    this.#steps = this.params.steps
    this.#begin()
  }

  override onTestBatchEnd(batch: number, logs: Logs): void {
    if (!this.#training) this.#update(batch, logs)
  }

  override onTestEnd(logs: Logs): void {
    if (!this.#training) this.#end(logs)
  }

  override onPredictBegin(): void {
    this.#steps = this.params.steps
    this.#begin()
  }

  override onPredictBatchEnd(batch: number): void {
    this.#update(batch, {})
  }

  override onPredictEnd(): void {
    this.#end({})
  }

  get #moving(): boolean {
    return this.params.verbose === 1 && this.#stream.isTTY === true
  }

  #begin(): void {
    this.#started = performance.now()
    this.#afterFirst = this.#started
    this.#shown = 0
    this.#step = 0
    this.#width = 0
  }

  #update(batch: number, logs: Logs): void {
    this.#step = batch + 1
    const now = performance.now()
    if (this.#step === 1) this.#afterFirst = now
    if (!this.#moving || (now - this.#shown) / 1000 < secondsBetweenUpdates) return
    this.#shown = now
    this.#write(logs, now, false)
  }

  #end(logs: Logs): void {
    if (this.params.verbose === 0) return
    this.#steps ??= this.#step
    this.#write(logs, performance.now(), true)
  }

  #write(logs: Logs, now: number, finished: boolean): void {
    const color = this.#moving && !process.env['NO_COLOR']
    // The first step also compiles the program, so later ones are timed without it.
    const elapsed = this.#step > 1 ? (now - this.#afterFirst) / (this.#step - 1) : now - this.#started
    const progress = {
      step: this.#step,
      steps: this.#steps,
      seconds: (now - this.#started) / 1000,
      secondsPerStep: elapsed / 1000,
      finished,
      logs,
    }
    const line = progressLine(progress, { bar: this.params.verbose === 1, color })
    const plain = progressLine(progress, { bar: this.params.verbose === 1, color: false })
    const padding = ' '.repeat(Math.max(0, this.#width - plain.length))
    this.#stream.write(`${this.#moving ? '\r' : ''}${line}${this.#moving ? padding : ''}${finished ? '\n' : ''}`)
    this.#width = plain.length
  }
}
