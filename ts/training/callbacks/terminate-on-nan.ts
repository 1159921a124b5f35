import { DataError } from '../../core/errors.ts'
import { Callback, type Logs } from './callback.ts'

/** Ends training when the loss of a batch is NaN or infinite. */
export class TerminateOnNaN extends Callback {
  readonly #raiseError: boolean

  /** @param options `raiseError`: reject with a DataError instead of ending quietly. Default `false`. */
  constructor(options: { readonly raiseError?: boolean } = {}) {
    super()
    this.#raiseError = options.raiseError ?? false
  }

  override onBatchEnd(batch: number, { loss }: Logs): void {
    if (loss === undefined || Number.isFinite(loss)) return
    if (this.#raiseError) throw new DataError(`the loss of batch ${batch} is ${loss}`, { batch, loss })
    process.stdout.write(`Batch ${batch}: Invalid loss, terminating training\n`)
    this.trainer.stopTraining = true
  }
}
