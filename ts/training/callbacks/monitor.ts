import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import type { Trainer } from '../trainer.ts'
import type { Logs } from './callback.ts'

/** Options of callbacks that watch one value. */
export interface MonitorOptions {
  /** The name in the logs. Default `'val_loss'`. */
  readonly monitor?: string
  /** Whether smaller (`'min'`) or larger (`'max'`) is better. Default `'auto'`: as the metric says. */
  readonly mode?: 'auto' | 'min' | 'max'
  /** A change that is not larger does not count. */
  readonly minDelta?: number
}

/** Watches one value of the logs for improvements. */
export class Monitor {
  readonly name: string
  readonly #owner: string
  readonly #mode: 'auto' | 'min' | 'max'
  readonly #minDelta: number
  #sign: 1 | -1 | undefined

  constructor(owner: string, options: MonitorOptions, minDelta: number) {
    const { monitor = 'val_loss', mode = 'auto' } = options
    if (!['auto', 'min', 'max'].includes(mode))
      throw new ConfigError(`${owner}: 'mode' must be 'auto', 'min' or 'max'. Received: ${show(mode)}`)
    this.#owner = owner
    this.name = monitor
    this.#mode = mode
    this.#minDelta = Math.abs(options.minDelta ?? minDelta)
  }

  /** The value in the logs; a warning where it is missing. */
  value(logs: Logs): number | undefined {
    const value = logs[this.name]
    if (value === undefined) {
      process.emitWarning(
        `${this.#owner} watches '${this.name}', which is not reported. There are: ${Object.keys(logs).join(', ')}`,
        {
          code: 'FERROGRAPH_NOT_REPORTED',
        },
      )
    }
    return value
  }

  /**
   * Whether a value is better than another by more than the least change.
   *
   * @throws ConfigError when nobody knows which way is better.
   */
  improves(trainer: Trainer, value: number, reference: number | undefined): boolean {
    const sign = this.#direction(trainer)
    return reference === undefined || sign * value - this.#minDelta > sign * reference
  }

  #direction(trainer: Trainer): 1 | -1 {
    const known = this.#mode === 'auto' ? trainer.directionOf(this.name) : this.#mode === 'max' ? 'up' : 'down'
    if (!known) {
      throw new ConfigError(
        `${this.#owner}: whether '${this.name}' is to be large or small is not known: give mode 'min' or 'max'`,
        { monitor: this.name },
      )
    }
    this.#sign ??= known === 'up' ? 1 : -1
    return this.#sign
  }
}
