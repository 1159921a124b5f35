import type { Variable } from '../native/variable.ts'
import { callOp, defineOp, first, operand, type Operand, type Result } from './op.ts'

/** A shape whose `null` extents are those of `like` on the same axis. */
type Dims = readonly (number | null)[]

/** int32 `[seed, counter]`: the same pair always gives the same numbers. */
type State = Variable | Operand

function draw(name: string, native: string): (like: Operand, state: State, options: Readonly<Record<string, unknown>>) => unknown {
  const op = defineOp({
    name,
    trace: (trace, [like, state], options) =>
      first(trace.emit(native, options, [operand(trace, like), trace.convert(state, 'int32')])),
  })
  return (like, state, options) => callOp(op, [like, state], options)
}

const uniformOp = draw('randomUniform', 'random_uniform')
const normalOp = draw('randomNormal', 'random_normal')
const truncatedOp = draw('randomTruncatedNormal', 'random_truncated_normal')
const bernoulliOp = draw('randomBernoulli', 'random_bernoulli')

/** Numbers drawn evenly from `low..high`. */
export function randomUniform<T extends Operand>(like: T, state: State, options: { readonly shape: Dims; readonly low?: number; readonly high?: number }): Result<T> {
  return uniformOp(like, state, { low: 0, high: 1, ...options }) as Result<T>
}

/** Numbers drawn from a normal distribution. */
export function randomNormal<T extends Operand>(like: T, state: State, options: { readonly shape: Dims; readonly mean?: number; readonly stddev?: number }): Result<T> {
  return normalOp(like, state, { mean: 0, stddev: 1, ...options }) as Result<T>
}

/** Numbers drawn from a normal distribution, none further than two standard deviations from the mean. */
export function randomTruncatedNormal<T extends Operand>(like: T, state: State, options: { readonly shape: Dims; readonly mean?: number; readonly stddev?: number }): Result<T> {
  return truncatedOp(like, state, { mean: 0, stddev: 1, ...options }) as Result<T>
}

/** 1 with the given probability, else 0; float32. */
export function randomBernoulli<T extends Operand>(like: T, state: State, options: { readonly shape: Dims; readonly probability: number }): Result<T> {
  return bernoulliOp(like, state, { ...options }) as Result<T>
}
