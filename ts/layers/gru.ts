import { boolean } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { recurrentLayer } from './recurrent-layer.ts'

/**
 * A gated recurrent unit: `[batch, steps, features]` to `[batch, units]`, or to `[batch, steps, units]` with
 * `returnSequences`. With `returnState` an array: the result and the last state `[batch, units]`.
 *
 * The first state is zeros, or `initialState: [h]` among the options of the call, or the second of `[x, h]`. Steps that
 * the mask leaves out repeat the output before them. `goBackwards` reads from the last step to the first and returns the
 * outputs in that order. With `zeroOutputForMask` the outputs of steps left out are 0, while the state still passes.
 * `kernel` is `[features, 3 * units]`, `recurrent_kernel` is `[units, 3 * units]`; the gates stand in the order update,
 * reset, candidate. With `resetAfter` (the default) the reset gate is applied after the product with the recurrent
 * kernel, and `bias` is `[2, 3 * units]`, one row for the input and one for the state; else it is `[3 * units]`.
 * `dropout` and `recurrentDropout` draw once for all steps; the second sets outputs to 0 where they are fed back into
 * the products, with a draw for each gate.
 *
 * Activations other than tanh and sigmoid, and `recurrentDropout`, need a known number of steps.
 */
export class GRU extends recurrentLayer({
  className: 'GRU',
  name: 'gru_cell',
  gates: 3,
  states: 1,
  dropsEachGate: true,
  options: { resetAfter: boolean(true) },
  biasShape: ({ units, resetAfter }) => (resetAfter ? [2, 3 * units] : [3 * units]),
  biasInitializer: ({ biasInitializer }) => biasInitializer,
  fused(x, [h], weights, { goBackwards, resetAfter }) {
    return ops.gru(x, { ...weights, h: h as SymbolicTensor }, { reverse: goBackwards, resetAfter })
  },
  step: ({ kernel, recurrentKernel, bias }, { units, activation, recurrentActivation, resetAfter }, keep) => ({
    project: (x) => ops.add(ops.matmul(x, kernel), resetAfter ? ops.slice(bias, [0, null]) : bias),
    next(x, [before]) {
      const h = before as SymbolicTensor
      const columns = <T extends ops.Operand>(value: T, gate: number) => ops.slice(value, [null, [gate * units, (gate + 1) * units]])
      const fed = (gate: number): SymbolicTensor => (keep ? ops.multiply(h, columns(keep, gate)) : h)
      const product = (state: SymbolicTensor, gate: number): SymbolicTensor => ops.matmul(state, columns(recurrentKernel, gate)) as SymbolicTensor
      const ofState = (gate: number): SymbolicTensor => {
        if (!resetAfter) return product(fed(gate), gate)
        return ops.add(product(fed(gate), gate), ops.slice(bias, [1, [gate * units, (gate + 1) * units]]))
      }
      const sum = (gate: number, carried: SymbolicTensor): SymbolicTensor => ops.add(columns(x, gate), carried)
      const update = recurrentActivation(sum(0, ofState(0)))
      const reset = recurrentActivation(sum(1, ofState(1)))
      const candidate = activation(sum(2, resetAfter ? ops.multiply(reset, ofState(2)) : product(ops.multiply(reset, fed(2)), 2)))
      return [ops.add(ops.multiply(update, h), ops.multiply(ops.subtract(1, update), candidate))]
    },
  }),
}) {}
