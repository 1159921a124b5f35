import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { Callback, type Logs } from './callback.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'
import { requireOptimizer } from './require-optimizer.ts'

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly factor?: number
  /** Epochs without an improvement that are waited for. Default 10. */
  readonly patience?: number
  /** 1 says when the learning rate changes. Default 0. */
  readonly verbose?: 0 | 1
  /** Epochs after a change that do not count. Default 0. */
  readonly cooldown?: number
  /** The learning rate never falls below this. Default 0. */
  readonly minLr?: number
}

/** Lowers the learning rate when a value has stopped to improve. `minDelta` is 1e-4 by default. Reports `learning_rate`. */
export class ReduceLROnPlateau extends Callback {
  readonly #options: ReduceLROnPlateauOptions
  readonly #monitor: Monitor
  #best: number | undefined
  #wait = 0
  #cooling = 0

  constructor(options: ReduceLROnPlateauOptions = {}) {
    super()
    const { factor = 0.1 } = options
    if (!(factor < 1)) throw new ConfigError(`ReduceLROnPlateau: 'factor' must be < 1. Received: ${show(factor)}`)
    this.#options = options
    this.#monitor = new Monitor('ReduceLROnPlateau', options, 1e-4)
  }

  override onTrainBegin(): void {
    this.#best = undefined
    this.#wait = 0
    this.#cooling = 0
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { patience = 10, cooldown = 0 } = this.#options
    logs['learning_rate'] = requireOptimizer(this.trainer).learningRate
    const value = this.#monitor.value(logs)
    if (value === undefined) return
    if (this.#cooling > 0) {
      this.#cooling--
      this.#wait = 0
    }
    if (this.#monitor.improves(this.trainer, value, this.#best)) {
      this.#best = value
      this.#wait = 0
    } else if (this.#cooling === 0 && ++this.#wait >= patience && this.#lower(epoch)) {
      this.#cooling = cooldown
      this.#wait = 0
    }
  }

  #lower(epoch: number): boolean {
    const { factor = 0.1, minLr = 0, verbose = 0 } = this.#options
    const optimizer = requireOptimizer(this.trainer)
    const before = optimizer.learningRate
    if (before <= Math.fround(minLr)) return false
    const next = Math.max(before * factor, minLr)
    optimizer.learningRate = next
    if (verbose > 0)
      process.stdout.write(`\nEpoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${next}.\n`)
    return true
  }
}
