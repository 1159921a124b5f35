import { activationField } from '../activations/activation.ts'
import { sigmoid, tanh } from '../activations/functions.ts'
import { constraintField } from '../constraints/constraint.ts'
import { ConfigError } from '../core/errors.ts'
import { boolean, integer, number, optionalInteger } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { DType, Shape } from '../core/types.ts'
import { Initializer, initializerField } from '../initializers/initializer.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured, type LayerArguments } from './configured.ts'
import { keepFactors } from './dropout.ts'
import { knownExtent } from './known-extent.ts'
import type { CallContext, Masks, WeightOptions } from './layer.ts'
import { lstmSteps } from './lstm-steps.ts'
import { firstRandomState } from './random-state.ts'
import { checkSequence, firstMask, firstStates, sequenceShape, sequenceWithStates, zeroWhereMasked } from './recurrent.ts'

const schema = {
  units: integer({ min: 1 }),
  activation: activationField('tanh'),
  recurrentActivation: activationField('sigmoid'),
  useBias: boolean(true),
  kernelInitializer: initializerField('glorot_uniform'),
  recurrentInitializer: initializerField('orthogonal'),
  biasInitializer: initializerField('zeros'),
  unitForgetBias: boolean(true),
  kernelRegularizer: regularizerField(),
  recurrentRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
  kernelConstraint: constraintField(),
  recurrentConstraint: constraintField(),
  biasConstraint: constraintField(),
  dropout: number({ default: 0, min: 0, max: 1 }),
  recurrentDropout: number({ default: 0, min: 0, max: 1 }),
  seed: optionalInteger({ min: 0 }),
  returnSequences: boolean(false),
  returnState: boolean(false),
  goBackwards: boolean(false),
  stateful: boolean(false),
  unroll: boolean(false),
  zeroOutputForMask: boolean(false),
} as const

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
export class LSTM extends configured('LSTM', schema) {
  declare kernel: Variable
  declare recurrentKernel: Variable
  declare bias: Variable | undefined
  declare randomState: Variable
  override supportsMasking = true

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    if (this.config.stateful) throw new ConfigError(`LSTM '${this.name}': 'stateful' is not supported yet`)
  }

  /** @internal Files keep the weights below the cell. */
  override get variablesPath(): string {
    return 'cell'
  }

  override build(inputShape: Structure<Shape>): void {
    const shape = sequenceShape(inputShape)
    const { units, useBias, dropout, recurrentDropout, seed } = this.config
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.config
    this.kernel = this.#cellWeight({
      name: 'kernel',
      shape: [knownExtent(shape, -1), 4 * units],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    const { recurrentInitializer, recurrentRegularizer, recurrentConstraint } = this.config
    this.recurrentKernel = this.#cellWeight({
      name: 'recurrent_kernel',
      shape: [units, 4 * units],
      initializer: recurrentInitializer,
      regularizer: recurrentRegularizer,
      constraint: recurrentConstraint,
    })
    if (useBias) {
      const { unitForgetBias, biasInitializer, biasRegularizer, biasConstraint } = this.config
      this.bias = this.#cellWeight({
        name: 'bias',
        shape: [4 * units],
        initializer: unitForgetBias ? new UnitForgetBias(biasInitializer) : biasInitializer,
        regularizer: biasRegularizer,
        constraint: biasConstraint,
      })
    }
    if (dropout > 0 || recurrentDropout > 0) {
      this.randomState = this.addState('lstm_cell/seed_generator/seed_generator_state', firstRandomState(seed))
    }
  }

  override call(inputs: Structure<SymbolicTensor>, context: CallContext): Structure<SymbolicTensor> {
    const { units, activation, recurrentActivation, goBackwards, returnSequences, returnState } = this.config
    const [sequence, given] = sequenceWithStates(inputs, context)
    checkSequence(sequence, this.kernel.shape[0] as number)
    const [h, c] = firstStates(sequence, given, 2, units) as [SymbolicTensor, SymbolicTensor]
    const { dropout, recurrentDropout, zeroOutputForMask } = this.config
    const x = context.training && dropout > 0 ? ops.multiply(sequence, keepFactors(sequence, dropout, [null, 1, null], this.randomState)) : sequence
    const bias = this.bias ?? ops.fill(sequence, [4 * units], 0)
    const mask = firstMask(context.mask)
    const parameters = { kernel: this.kernel, recurrentKernel: this.recurrentKernel, bias, h, c, mask }
    const dropsRecurrent = context.training && recurrentDropout > 0
    const fused = activation === tanh && recurrentActivation === sigmoid && !dropsRecurrent
    const [outputs, lastH, lastC] = fused
      ? ops.lstm(x, parameters, { reverse: goBackwards })
      : lstmSteps(x, parameters, {
          activation,
          recurrentActivation,
          reverse: goBackwards,
          keep: dropsRecurrent ? keepFactors(sequence, recurrentDropout, [null, units], this.randomState) : undefined,
        })
    const [sequences, last] = zeroOutputForMask ? zeroWhereMasked(outputs, lastH, mask, goBackwards) : [outputs, lastH]
    const result = returnSequences ? sequences : last
    return returnState ? [result, lastH, lastC] : result
  }

  override computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks): Masks {
    const own = this.config.returnSequences ? firstMask(mask) : undefined
    return this.config.returnState ? [own, undefined, undefined] : own
  }

  #cellWeight(options: WeightOptions): Variable {
    const variable = this.addWeight(options)
    variable.path = `${this.name}/lstm_cell/${options.name}`
    return variable
  }
}

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
