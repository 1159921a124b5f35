import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { Callback, type Logs } from './callback.ts'
import { requireOptimizer } from './require-optimizer.ts'

/** Sets the learning rate before each epoch. Reports `learning_rate`. */
export class LearningRateScheduler extends Callback {
  readonly #schedule: (epoch: number, learningRate: number) => number
  readonly #verbose: 0 | 1

  /**
   * @param schedule The next learning rate, from the epoch, counted from 0, and the rate so far.
   * @param options `verbose` 1 says when the learning rate changes. Default 0.
   */
  constructor(schedule: (epoch: number, learningRate: number) => number, options: { readonly verbose?: 0 | 1 } = {}) {
    super()
    if (typeof schedule !== 'function')
      throw new ConfigError(`LearningRateScheduler: expected a function, received ${show(schedule)}`)
    this.#schedule = schedule
    this.#verbose = options.verbose ?? 0
  }

  override onEpochBegin(epoch: number): void {
    const optimizer = requireOptimizer(this.trainer)
    const next: unknown = this.#schedule(epoch, optimizer.learningRate)
    if (typeof next !== 'number' || !Number.isFinite(next)) {
      throw new ConfigError(
        `LearningRateScheduler: expected the function to return a finite number, received ${show(next)}`,
      )
    }
    optimizer.learningRate = next
    if (this.#verbose > 0)
      process.stdout.write(`\nEpoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${next}.\n`)
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    logs['learning_rate'] = requireOptimizer(this.trainer).learningRate
  }
}
