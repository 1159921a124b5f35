import { AbortError } from '../core/errors.ts'
import { addon, type NativeProgram } from './addon.ts'
import { translateError, translated } from './errors.ts'
import { Tensor } from './tensor.ts'

/** A compiled graph, ready to run on data. */
export class Program {
  readonly #native: NativeProgram

  constructor(native: NativeProgram) {
    this.#native = native
  }

  /** Runs on the calling thread. */
  runSync(inputs: readonly Tensor[]): Tensor[] {
    return translated(() => this.#native.runSync(inputs.map((input) => input.native))).map((native) => new Tensor(native))
  }

  /** Runs on the library's own threads. An aborted run changes no variable. */
  async run(inputs: readonly Tensor[], signal?: AbortSignal): Promise<Tensor[]> {
    if (signal?.aborted) throw abortError(signal)
    const natives = inputs.map((input) => input.native)
    const cancellation = signal && new addon.NativeCancellation()
    const onAbort = (): void => cancellation?.cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const outputs = await this.#native.run(natives, cancellation)
      return outputs.map((native) => new Tensor(native))
    } catch (error) {
      throw signal?.aborted ? abortError(signal) : translateError(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * The steps for inputs like these, with their kernels and memory, for people; with `runs`, also the median time of each
   * step in so many runs, which change no variable.
   */
  describe(inputs: readonly Tensor[], runs = 0): string {
    return translated(() =>
      runs > 0
        ? this.#native.measure(
            inputs.map((input) => input.native),
            runs,
          )
        : this.#native.describe(inputs.map((input) => [...input.shape])),
    )
  }
}

/** The error of an aborted call. */
export function abortError(signal: AbortSignal): AbortError {
  return new AbortError(undefined, {}, { cause: signal.reason })
}
