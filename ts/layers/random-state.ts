import { nextSeed } from '../core/seed.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'

/** The first value of a layer's random state: `[seed, counter]`. */
export function firstRandomState(seed: number | null): Tensor {
  return tensor(Int32Array.of((seed ?? nextSeed()) | 0, 0))
}

/** Makes the next use of a random state draw other numbers, in this run or a later one. */
export function advance(state: Variable): void {
  state.assign(ops.add(state, tensor(Int32Array.of(0, 1))))
}
