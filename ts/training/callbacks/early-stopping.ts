import type { Tensor } from '../../native/tensor.ts'
import { Callback, type Logs } from './callback.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without an improvement that are waited for. Default 0. */
  readonly patience?: number
  /** 1 says when and why training ended. Default 0. */
  readonly verbose?: 0 | 1
  /** A value that must be reached within the patience. */
  readonly baseline?: number | null
  /** Go back to the weights of the best epoch, also when training was not ended early. Default `false`. */
  readonly restoreBestWeights?: boolean
  /** The first epoch that is watched, counted from 0. Default 0. */
  readonly startFromEpoch?: number
}

/** Ends training when a value has stopped to improve. `minDelta` is 0 by default. */
export class EarlyStopping extends Callback {
  /** The epoch after which training was ended, counted from 0; 0 if it was not. */
  stoppedEpoch = 0
  /** The best value. */
  best: number | undefined
  /** Its epoch, counted from 0. */
  bestEpoch = 0
  readonly #options: EarlyStoppingOptions
  readonly #monitor: Monitor
  #wait = 0
  #weights: Tensor[] | undefined

  constructor(options: EarlyStoppingOptions = {}) {
    super()
    this.#options = options
    this.#monitor = new Monitor('EarlyStopping', options, 0)
  }

  override onTrainBegin(): void {
    this.#wait = 0
    this.stoppedEpoch = 0
    this.best = undefined
    this.bestEpoch = 0
    this.#weights = undefined
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { patience = 0, baseline, restoreBestWeights, startFromEpoch = 0 } = this.#options
    const value = this.#monitor.value(logs)
    if (value === undefined || epoch < startFromEpoch) return
    if (restoreBestWeights && !this.#weights) this.#remember(epoch)
    this.#wait++
    if (this.#monitor.improves(this.trainer, value, this.best)) {
      this.best = value
      this.#remember(epoch)
      if (baseline === undefined || baseline === null || this.#monitor.improves(this.trainer, value, baseline))
        this.#wait = 0
      return
    }
    if (this.#wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch
      this.trainer.stopTraining = true
    }
  }

  override onTrainEnd(): void {
    const { verbose = 0 } = this.#options
    if (this.stoppedEpoch > 0 && verbose > 0) process.stdout.write(`Epoch ${this.stoppedEpoch + 1}: early stopping\n`)
    if (!this.#weights) return
    if (verbose > 0)
      process.stdout.write(`Restoring model weights from the end of the best epoch: ${this.bestEpoch + 1}.\n`)
    const weights = this.#weights
    this.model.weights.forEach((variable, i) => variable.assign(weights[i]))
  }

  #remember(epoch: number): void {
    this.bestEpoch = epoch
    if (!this.#options.restoreBestWeights) return
    for (const tensor of this.#weights ?? []) tensor.dispose()
    this.#weights = this.model.weights.map((variable) => variable.read())
  }
}
