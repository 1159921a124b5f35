import { Callback, type Logs } from './callback.ts'

/** What `fit` returns: the logs of every epoch. */
export class History extends Callback {
  /** The epochs, counted from 0. */
  epoch: number[] = []
  /** For each name the values of the epochs, in their order. */
  history: Record<string, number[]> = {}

  override onTrainBegin(): void {
    this.epoch = []
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value)
  }
}
