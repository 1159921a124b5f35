import { AbortError } from '../core/errors.ts'
import type { DType, TypedArray } from '../core/types.ts'
import { addon, type NativeProgram, type Operand, type Outputs } from './addon.ts'
import { translateError, translated } from './errors.ts'
import { runOnPool } from './runs.ts'
import { Staging } from './staging.ts'
import { Tensor } from './tensor.ts'

/** A compiled graph, ready to run on data. */
export class Program {
  readonly #native: NativeProgram
  readonly #outputTypes: readonly DType[]
  /** Of the last staged run; `undefined` where its rows cannot be staged. */
  #staging: Staging | undefined
  #stagedRows = -1

  constructor(native: NativeProgram) {
    this.#native = native
    this.#outputTypes = native.outputTypes()
  }

  /** Runs on the calling thread. */
  runSync(inputs: readonly Tensor[]): Tensor[] {
    try {
      return this.#tensors(this.#native.runSync(inputs.map(operandOf), inputs.map(shapeOf)))
    } catch (error) {
      throw translateError(error)
    }
  }

  /**
   * As `runSync`, on elements of the types and shapes that the inputs have with this number of rows, for less.
   *
   * @returns `undefined`, and nothing has run, where that is of no use: operands are large, say.
   */
  runStaged(rows: number, inputs: readonly TypedArray[], types: readonly DType[]): Tensor[] | undefined {
    try {
      if (rows !== this.#stagedRows) {
        const stage = this.#native.stage(rows)
        this.#staging = stage ? new Staging(this.#native, rows, stage, types, this.#outputTypes) : undefined
        this.#stagedRows = rows
      }
      return this.#staging?.run(inputs)
    } catch (error) {
      throw translateError(error)
    }
  }

  /**
   * Runs on the library's own threads; what the inputs borrow is copied before this returns. An aborted run changes no
   * variable; one that is already changing them ends as if it had not been aborted.
   */
  async run(inputs: readonly Tensor[], signal?: AbortSignal): Promise<Tensor[]> {
    if (signal?.aborted) throw abortError(signal)
    const token = signal && new addon.NativeCancellation()
    const onAbort = (): void => token?.cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return this.#tensors(await runOnPool(this.#native, inputs.map(operandOf), inputs.map(shapeOf), token))
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

  #tensors(outputs: Outputs): Tensor[] {
    return this.#outputTypes.map((dtype, i) => new Tensor(outputs[2 * i] as Operand, outputs[2 * i + 1] as number[], dtype))
  }
}

function operandOf(input: Tensor): Operand {
  return input.operand
}

function shapeOf(input: Tensor): readonly number[] {
  return input.shape
}

/** The error of an aborted call. */
export function abortError(signal: AbortSignal): AbortError {
  return new AbortError(undefined, {}, { cause: signal.reason })
}
