import type { Activation } from '../activations/activation.ts'
import { ShapeError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'

/** How {@link lstmSteps} differs from `ops.lstm`. */
export interface StepOptions {
  /** Of the cell's input and output. */
  readonly activation: Activation
  /** Of the gates. */
  readonly recurrentActivation: Activation
  /** Read from the last step to the first. */
  readonly reverse: boolean
  /** `[batch, units]`: what outputs fed back are multiplied by. */
  readonly keep: SymbolicTensor | undefined
}

/**
 * A long short-term memory with any activations, written out step by step.
 *
 * @throws ShapeError when the number of steps is not known.
 */
export function lstmSteps(
  x: SymbolicTensor,
  parameters: ops.LstmParameters & { readonly h: SymbolicTensor; readonly c: SymbolicTensor },
  options: StepOptions,
): [SymbolicTensor, SymbolicTensor, SymbolicTensor] {
  const steps = x.shape[1]
  if (typeof steps !== 'number' || steps === 0) {
    throw new ShapeError(
      `expected a known number of steps, received ${formatShape(x.shape)}: activations other than tanh and sigmoid, and recurrentDropout, are computed step by step`,
    )
  }
  const { mask } = parameters
  const projected = ops.add(ops.matmul(x, parameters.kernel), parameters.bias)
  const order = Array.from({ length: steps }, (_, i) => (options.reverse ? steps - 1 - i : i))
  const outputs: SymbolicTensor[] = []
  let { h, c } = parameters
  for (const step of order) {
    const fed = options.keep ? ops.multiply(h, options.keep) : h
    const gates = ops.add(ops.slice(projected, [null, step, null]), ops.matmul(fed, parameters.recurrentKernel))
    const [nextH, nextC] = cell(gates, c, options)
    const counts = mask && (ops.slice(mask, [null, [step, step + 1]]) as SymbolicTensor)
    h = counts ? ops.where(counts, nextH, h) : nextH
    c = counts ? ops.where(counts, nextC, c) : nextC
    outputs.push(ops.expandDims(h, 1))
  }
  return [ops.concatenate(outputs, 1), h, c]
}

function cell(gates: SymbolicTensor, c: SymbolicTensor, { activation, recurrentActivation }: StepOptions): [SymbolicTensor, SymbolicTensor] {
  const units = c.shape[1] as number
  const part = (index: number): SymbolicTensor => ops.slice(gates, [null, [index * units, (index + 1) * units]])
  const kept = ops.multiply(recurrentActivation(part(1)), c)
  const next = ops.add(kept, ops.multiply(recurrentActivation(part(0)), activation(part(2))))
  return [ops.multiply(recurrentActivation(part(3)), activation(next)), next]
}
