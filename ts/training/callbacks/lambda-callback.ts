import { Callback, type CallbackHooks, type Logs } from './callback.ts'

/**
 * A callback made of functions.
 *
 * ```ts
 * LambdaCallback({ onEpochEnd: (epoch, logs) => console.log(epoch, logs.loss) })
 * ```
 */
export class LambdaCallback extends Callback {
  readonly #hooks: CallbackHooks

  constructor(hooks: CallbackHooks) {
    super()
    this.#hooks = hooks
  }

  override onTrainBegin(logs: Logs): void | Promise<void> {
    return this.#hooks.onTrainBegin?.(logs)
  }
  override onTrainEnd(logs: Logs): void | Promise<void> {
    return this.#hooks.onTrainEnd?.(logs)
  }
  override onEpochBegin(epoch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onEpochBegin?.(epoch, logs)
  }
  override onEpochEnd(epoch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onEpochEnd?.(epoch, logs)
  }
  override onTrainBatchBegin(batch: number, logs: Logs): void | Promise<void> {
    return (this.#hooks.onTrainBatchBegin ?? this.#hooks.onBatchBegin)?.(batch, logs)
  }
  override onTrainBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return (this.#hooks.onTrainBatchEnd ?? this.#hooks.onBatchEnd)?.(batch, logs)
  }
  override onTestBegin(logs: Logs): void | Promise<void> {
    return this.#hooks.onTestBegin?.(logs)
  }
  override onTestEnd(logs: Logs): void | Promise<void> {
    return this.#hooks.onTestEnd?.(logs)
  }
  override onTestBatchBegin(batch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onTestBatchBegin?.(batch, logs)
  }
  override onTestBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onTestBatchEnd?.(batch, logs)
  }
  override onPredictBegin(logs: Logs): void | Promise<void> {
    return this.#hooks.onPredictBegin?.(logs)
  }
  override onPredictEnd(logs: Logs): void | Promise<void> {
    return this.#hooks.onPredictEnd?.(logs)
  }
  override onPredictBatchBegin(batch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onPredictBatchBegin?.(batch, logs)
  }
  override onPredictBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return this.#hooks.onPredictBatchEnd?.(batch, logs)
  }
}
