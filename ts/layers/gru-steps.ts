import type { Activation } from '../activations/activation.ts'
import { ShapeError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'

/** How {@link gruSteps} differs from `ops.gru`. */
export interface GruStepOptions {
  /** Of the candidate. */
  readonly activation: Activation
  /** Of the gates. */
  readonly recurrentActivation: Activation
  /** Read from the last step to the first. */
  readonly reverse: boolean
  /** Apply the reset gate after the product with the recurrent kernel. */
  readonly resetAfter: boolean
  /** `[batch, 3 * units]`: what outputs fed back into the products are multiplied by, for each gate. */
  readonly keep: SymbolicTensor | undefined
}

/**
 * A gated recurrent unit with any activations, written out step by step.
 *
 * @throws ShapeError when the number of steps is not known.
 */
export function gruSteps(
  x: SymbolicTensor,
  parameters: ops.GruParameters & { readonly h: SymbolicTensor },
  options: GruStepOptions,
): [SymbolicTensor, SymbolicTensor] {
  const steps = x.shape[1]
  if (typeof steps !== 'number' || steps === 0) {
    throw new ShapeError(
      `expected a known number of steps, received ${formatShape(x.shape)}: activations other than tanh and sigmoid, and recurrentDropout, are computed step by step`,
    )
  }
  const { mask, kernel } = parameters
  const projected = ops.add(ops.matmul(x, kernel), options.resetAfter ? ops.slice(parameters.bias, [0, null]) : parameters.bias)
  const order = Array.from({ length: steps }, (_, i) => (options.reverse ? steps - 1 - i : i))
  const outputs: SymbolicTensor[] = []
  let { h } = parameters
  for (const step of order) {
    const next = cell(ops.slice(projected, [null, step, null]), h, parameters, options)
    const counts = mask && (ops.slice(mask, [null, [step, step + 1]]) as SymbolicTensor)
    h = counts ? ops.where(counts, next, h) : next
    outputs.push(ops.expandDims(h, 1))
  }
  return [ops.concatenate(outputs, 1), h]
}

function cell(projected: SymbolicTensor, h: SymbolicTensor, parameters: ops.GruParameters, options: GruStepOptions): SymbolicTensor {
  const { activation, recurrentActivation, resetAfter, keep } = options
  const { recurrentKernel, bias } = parameters
  const units = h.shape[1] as number
  const columns = <T extends ops.Operand>(value: T, gate: number) => ops.slice(value, [null, [gate * units, (gate + 1) * units]])
  const fed = (gate: number): SymbolicTensor => (keep ? ops.multiply(h, columns(keep, gate)) : h)
  const product = (state: SymbolicTensor, gate: number): SymbolicTensor => ops.matmul(state, columns(recurrentKernel, gate)) as SymbolicTensor
  const ofState = (gate: number): SymbolicTensor => {
    if (!resetAfter) return product(fed(gate), gate)
    return ops.add(product(fed(gate), gate), ops.slice(bias, [1, [gate * units, (gate + 1) * units]]))
  }
  const sum = (gate: number, carried: SymbolicTensor): SymbolicTensor => ops.add(columns(projected, gate), carried)
  const update = recurrentActivation(sum(0, ofState(0)))
  const reset = recurrentActivation(sum(1, ofState(1)))
  const candidate = activation(sum(2, resetAfter ? ops.multiply(reset, ofState(2)) : product(ops.multiply(reset, fed(2)), 2)))
  return ops.add(ops.multiply(update, h), ops.multiply(ops.subtract(1, update), candidate))
}
