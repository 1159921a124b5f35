import { activationField } from '../activations/activation.ts'
import { sigmoid, tanh } from '../activations/functions.ts'
import { constraintField } from '../constraints/constraint.ts'
import { ConfigError } from '../core/errors.ts'
import { boolean, integer, number, optionalInteger } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import { initializerField } from '../initializers/initializer.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured, type LayerArguments } from './configured.ts'
import { keepFactors } from './dropout.ts'
import { gruSteps } from './gru-steps.ts'
import { knownExtent } from './known-extent.ts'
import type { CallContext, Masks, WeightOptions } from './layer.ts'
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
  resetAfter: boolean(true),
  zeroOutputForMask: boolean(false),
} as const

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
export class GRU extends configured('GRU', schema) {
  declare kernel: Variable
  declare recurrentKernel: Variable
  declare bias: Variable | undefined
  declare randomState: Variable
  override supportsMasking = true

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    if (this.config.stateful) throw new ConfigError(`GRU '${this.name}': 'stateful' is not supported yet`)
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
      shape: [knownExtent(shape, -1), 3 * units],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    const { recurrentInitializer, recurrentRegularizer, recurrentConstraint } = this.config
    this.recurrentKernel = this.#cellWeight({
      name: 'recurrent_kernel',
      shape: [units, 3 * units],
      initializer: recurrentInitializer,
      regularizer: recurrentRegularizer,
      constraint: recurrentConstraint,
    })
    if (useBias) {
      const { resetAfter, biasInitializer, biasRegularizer, biasConstraint } = this.config
      this.bias = this.#cellWeight({
        name: 'bias',
        shape: resetAfter ? [2, 3 * units] : [3 * units],
        initializer: biasInitializer,
        regularizer: biasRegularizer,
        constraint: biasConstraint,
      })
    }
    if (dropout > 0 || recurrentDropout > 0) {
      this.randomState = this.addState('gru_cell/seed_generator/seed_generator_state', firstRandomState(seed))
    }
  }

  override call(inputs: Structure<SymbolicTensor>, context: CallContext): Structure<SymbolicTensor> {
    const { units, activation, recurrentActivation, goBackwards, returnSequences, returnState } = this.config
    const [sequence, given] = sequenceWithStates(inputs, context)
    checkSequence(sequence, this.kernel.shape[0] as number)
    const [h] = firstStates(sequence, given, 1, units) as [SymbolicTensor]
    const { dropout, recurrentDropout, resetAfter, zeroOutputForMask } = this.config
    const x = context.training && dropout > 0 ? ops.multiply(sequence, keepFactors(sequence, dropout, [null, 1, null], this.randomState)) : sequence
    const bias = this.bias ?? ops.fill(sequence, resetAfter ? [2, 3 * units] : [3 * units], 0)
    const mask = firstMask(context.mask)
    const parameters = { kernel: this.kernel, recurrentKernel: this.recurrentKernel, bias, h, mask }
    const dropsRecurrent = context.training && recurrentDropout > 0
    const [outputs, lastH] = activation === tanh && recurrentActivation === sigmoid && !dropsRecurrent
      ? ops.gru(x, parameters, { reverse: goBackwards, resetAfter })
      : gruSteps(x, parameters, {
          activation,
          recurrentActivation,
          reverse: goBackwards,
          resetAfter,
          keep: dropsRecurrent ? keepFactors(sequence, recurrentDropout, [null, 3 * units], this.randomState) : undefined,
        })
    const [sequences, last] = zeroOutputForMask ? zeroWhereMasked(outputs, lastH, mask, goBackwards) : [outputs, lastH]
    const result = returnSequences ? sequences : last
    return returnState ? [result, lastH] : result
  }

  override computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks): Masks {
    const own = this.config.returnSequences ? firstMask(mask) : undefined
    return this.config.returnState ? [own, undefined] : own
  }

  #cellWeight(options: WeightOptions): Variable {
    const variable = this.addWeight(options)
    variable.path = `${this.name}/gru_cell/${options.name}`
    return variable
  }
}
