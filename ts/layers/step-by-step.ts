import { ShapeError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'

/** The next states, of which the first is the output, from step `x` `[batch, features]` and the states before it. */
export interface StepFunction {
  /** What is computed of all steps at once: `[batch, steps, features]` to what `next` gets a step of. */
  project(x: SymbolicTensor): SymbolicTensor
  next(x: SymbolicTensor, states: readonly SymbolicTensor[]): SymbolicTensor[]
}

/**
 * A recurrent layer written out step by step: the outputs in the order in which they were computed, and the last states.
 *
 * @param mask bool `[batch, steps]`: a step that does not count repeats the states before it.
 * @param reverse Read from the last step to the first.
 * @throws ShapeError when the number of steps is not known.
 */
export function stepByStep(
  x: SymbolicTensor,
  first: readonly SymbolicTensor[],
  mask: SymbolicTensor | undefined,
  reverse: boolean,
  { project, next }: StepFunction,
): SymbolicTensor[] {
  const steps = x.shape[1]
  if (typeof steps !== 'number' || steps === 0) {
    throw new ShapeError(
      `expected a known number of steps, received ${formatShape(x.shape)}: activations other than tanh and sigmoid, and recurrentDropout, are computed step by step`,
    )
  }
  const projected = project(x)
  const outputs: SymbolicTensor[] = []
  let states = first
  for (let i = 0; i < steps; i++) {
    const step = reverse ? steps - 1 - i : i
    const before = states
    const made = next(ops.slice(projected, [null, step, null]), before)
    const counts = mask && (ops.slice(mask, [null, [step, step + 1]]) as SymbolicTensor)
    states = counts ? made.map((state, n) => ops.where(counts, state, before[n] as SymbolicTensor)) : made
    outputs.push(ops.expandDims(states[0] as SymbolicTensor, 1))
  }
  return [ops.concatenate(outputs, 1), ...states]
}
