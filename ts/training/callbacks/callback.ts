import type { Trainable } from '../trainable.ts'
import type { Trainer } from '../trainer.ts'

/** What is reported, by name: the loss, metrics, and during `fit` what callbacks added. */
export type Logs = Record<string, number>

/** What a callback learns of the work it accompanies. */
export interface CallbackParams {
  /** 0 silent, 1 with a bar, 2 a line for each epoch. */
  readonly verbose: 0 | 1 | 2
  /** The number of the last epoch. */
  readonly epochs: number
  /** The number of batches of an epoch, where it is known before the first ended. */
  readonly steps: number | undefined
}

type Hook<Args extends unknown[]> = (...args: Args) => void | Promise<void>

/** Everything a callback may do; each may be async, and is waited for. */
export interface CallbackHooks {
  onTrainBegin?: Hook<[logs: Logs]>
  onTrainEnd?: Hook<[logs: Logs]>
  onEpochBegin?: Hook<[epoch: number, logs: Logs]>
  onEpochEnd?: Hook<[epoch: number, logs: Logs]>
  onBatchBegin?: Hook<[batch: number, logs: Logs]>
  onBatchEnd?: Hook<[batch: number, logs: Logs]>
  onTrainBatchBegin?: Hook<[batch: number, logs: Logs]>
  onTrainBatchEnd?: Hook<[batch: number, logs: Logs]>
  onTestBegin?: Hook<[logs: Logs]>
  onTestEnd?: Hook<[logs: Logs]>
  onTestBatchBegin?: Hook<[batch: number, logs: Logs]>
  onTestBatchEnd?: Hook<[batch: number, logs: Logs]>
  onPredictBegin?: Hook<[logs: Logs]>
  onPredictEnd?: Hook<[logs: Logs]>
  onPredictBatchBegin?: Hook<[batch: number, logs: Logs]>
  onPredictBatchEnd?: Hook<[batch: number, logs: Logs]>
}

/** What a callback sees of the model: all of it, and the flag that ends training. */
export type CallbackModel = Trainable & { stopTraining: boolean }

/**
 * The base of all callbacks: does nothing at every point of training, evaluation and prediction. Overridden methods may
 * be async. Batches and epochs count from 0. `logs` of `onEpochEnd` is one object for all callbacks: what one adds goes
 * into the history.
 */
export abstract class Callback implements CallbackHooks {
  /** What is known of the work; set before it begins. */
  params: CallbackParams = { verbose: 0, epochs: 1, steps: undefined }
  /** The model; set before the work begins. */
  declare model: CallbackModel
  /** @internal */
  declare trainer: Trainer

  /** @internal */
  setParams(params: CallbackParams): void {
    this.params = params
  }

  /** @internal */
  setTrainer(trainer: Trainer): void {
    this.trainer = trainer
    this.model = trainer.model as CallbackModel
  }

  onTrainBegin(_logs: Logs): void | Promise<void> {}
  onTrainEnd(_logs: Logs): void | Promise<void> {}
  onEpochBegin(_epoch: number, _logs: Logs): void | Promise<void> {}
  onEpochEnd(_epoch: number, _logs: Logs): void | Promise<void> {}
  /** The same as {@link Callback.onTrainBatchBegin}. */
  onBatchBegin(_batch: number, _logs: Logs): void | Promise<void> {}
  /** The same as {@link Callback.onTrainBatchEnd}. */
  onBatchEnd(_batch: number, _logs: Logs): void | Promise<void> {}
  onTrainBatchBegin(batch: number, logs: Logs): void | Promise<void> {
    return this.onBatchBegin(batch, logs)
  }
  onTrainBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return this.onBatchEnd(batch, logs)
  }
  onTestBegin(_logs: Logs): void | Promise<void> {}
  onTestEnd(_logs: Logs): void | Promise<void> {}
  onTestBatchBegin(_batch: number, _logs: Logs): void | Promise<void> {}
  onTestBatchEnd(_batch: number, _logs: Logs): void | Promise<void> {}
  onPredictBegin(_logs: Logs): void | Promise<void> {}
  onPredictEnd(_logs: Logs): void | Promise<void> {}
  onPredictBatchBegin(_batch: number, _logs: Logs): void | Promise<void> {}
  onPredictBatchEnd(_batch: number, _logs: Logs): void | Promise<void> {}
}
