import { boolean } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { DType } from '../core/types.ts'
import { Initializer } from '../initializers/initializer.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import * as ops from '../ops/index.ts'
import { recurrentLayer } from './recurrent-layer.ts'

/**
 * A long short-term memory: `[batch, steps, features]` to `[batch, units]`, or to `[batch, steps, units]` with
 * `returnSequences`. With `returnState` an array: the result, the last output `[batch, units]` and the last cell state.
 *
 * The first state is zeros, or `initialState: [h, c]` among the options of the call, or the second and third of
 * `[x, h, c]`. Steps that the mask leaves out repeat the output and the state before them. `goBackwards` reads from the
 * last step to the first and returns the outputs in that order. With `zeroOutputForMask` the outputs of steps left out
 * are 0, while the states still pass. `kernel` is `[features, 4 * units]`,
 * `recurrent_kernel` is `[units, 4 * units]`, `bias` is `[4 * units]`; the gates stand in the order input, forget, cell,
 * output. `dropout` and `recurrentDropout` draw once for all steps; the second, which Keras 3.15 does not apply, sets
 * outputs fed back to 0.
 *
 * Activations other than tanh and sigmoid, and `recurrentDropout`, need a known number of steps.
 */
export class LSTM extends recurrentLayer({
  className: 'LSTM',
  name: 'lstm_cell',
  gates: 4,
  states: 2,
  dropsEachGate: false,
  options: { unitForgetBias: boolean(true) },
  biasShape: ({ units }) => [4 * units],
  biasInitializer: ({ unitForgetBias, biasInitializer }) => (unitForgetBias ? new UnitForgetBias(biasInitializer) : biasInitializer),
  fused(x, [h, c], weights, { goBackwards }) {
    return ops.lstm(x, { ...weights, h: h as SymbolicTensor, c: c as SymbolicTensor }, { reverse: goBackwards })
  },
  step: ({ kernel, recurrentKernel, bias }, { units, activation, recurrentActivation }, keep) => ({
    project: (x) => ops.add(ops.matmul(x, kernel), bias),
    next(x, [h, c]) {
      const fed = keep ? ops.multiply(h as SymbolicTensor, keep) : (h as SymbolicTensor)
      const gates = ops.add(x, ops.matmul(fed, recurrentKernel))
      const part = (gate: number): SymbolicTensor => ops.slice(gates, [null, [gate * units, (gate + 1) * units]])
      const kept = ops.multiply(recurrentActivation(part(1)), c as SymbolicTensor)
      const cell = ops.add(kept, ops.multiply(recurrentActivation(part(0)), activation(part(2))))
      return [ops.multiply(recurrentActivation(part(3)), activation(cell)), cell]
    },
  }),
}) {}

/** A bias whose part for the forget gate is 1, so that training starts by remembering. */
class UnitForgetBias extends Initializer {
  readonly #others: Initializer

  constructor(others: Initializer) {
    super()
    this.#others = others
  }

  override make(shape: readonly number[], dtype: DType): Tensor {
    const units = (shape[0] as number) / 4
    const values = new Float32Array(4 * units).fill(1)
    values.set(this.#others.make([units], dtype).data, 0)
    values.set(this.#others.make([2 * units], dtype).data, 2 * units)
    return tensor(values, shape, dtype)
  }
}
