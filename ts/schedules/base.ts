import type { SymbolicTensor } from '../core/symbolic.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import { runNow } from '../ops/op.ts'

/** A learning rate that follows from the number of steps taken. */
export abstract class Schedule {
  /**
   * The learning rate, a scalar, written in ops.
   *
   * @param step The number of steps taken, a float32 scalar.
   */
  abstract rate(step: SymbolicTensor): SymbolicTensor

  /** The learning rate after a number of steps. */
  at(step: number): number {
    const taken = tensor(step)
    const rate = runNow('schedule', { args: [taken], kwargs: {} }, ({ args }) => this.rate(args[0] as SymbolicTensor))
    return (rate as Tensor).item()
  }

  /** The options from which the constructor makes the schedule again, as plain JSON. */
  getConfig(): Record<string, unknown> {
    return {}
  }
}
