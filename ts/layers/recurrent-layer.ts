import { activationField } from '../activations/activation.ts'
import { sigmoid, tanh } from '../activations/functions.ts'
import { constraintField } from '../constraints/constraint.ts'
import { ConfigError } from '../core/errors.ts'
import { boolean, integer, number, optionalInteger, type Config, type Schema } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import { initializerField, type Initializer } from '../initializers/initializer.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured, type ConfiguredLayer, type ConfiguredLayerClass } from './configured.ts'
import { keepFactors } from './dropout.ts'
import { knownExtent } from './known-extent.ts'
import type { CallContext, Masks, WeightOptions } from './layer.ts'
import { firstRandomState } from './random-state.ts'
import { checkSequence, firstMask, firstStates, sequenceShape, sequenceWithStates, zeroWhereMasked } from './recurrent.ts'
import { stepByStep, type StepFunction } from './step-by-step.ts'

const sharedOptions = {
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
  zeroOutputForMask: boolean(false),
} as const

/** The options of every recurrent layer and those of one alone. */
export type RecurrentSchema<S extends Schema> = typeof sharedOptions & S

/** The weights of a cell and the mask of a sequence. */
export interface CellWeights {
  /** `[features, gates * units]`. */
  readonly kernel: Variable
  /** `[units, gates * units]`. */
  readonly recurrentKernel: Variable
  /** Of the shape that {@link Cell.biasShape} gives; zeros where the layer has none. */
  readonly bias: Variable | SymbolicTensor
  /** bool `[batch, steps]`. */
  readonly mask: SymbolicTensor | undefined
}

/** What tells one recurrent layer from another. */
export interface Cell<S extends Schema> {
  readonly className: string
  /** The name under which Keras's files keep the weights. */
  readonly name: string
  /** How many gates stand side by side in the weights. */
  readonly gates: number
  /** How many states pass from step to step; the first is the output. */
  readonly states: 1 | 2
  /** Options beside those of every recurrent layer. */
  readonly options: S
  biasShape(config: Config<RecurrentSchema<S>>): number[]
  biasInitializer(config: Config<RecurrentSchema<S>>): Initializer
  /** Columns of the draw of `recurrentDropout` for each unit: one for all gates, or one for each. */
  readonly dropsEachGate: boolean
  /** All steps in one op, with tanh and sigmoid: the outputs and the last states. */
  fused(x: SymbolicTensor, states: SymbolicTensor[], weights: CellWeights, config: Config<RecurrentSchema<S>>): SymbolicTensor[]
  /**
   * One step with any activations, for steps written out one by one.
   *
   * @param keep What outputs fed back are multiplied by, if anything: `[batch, units]` or a part for each gate.
   */
  step(weights: CellWeights, config: Config<RecurrentSchema<S>>, keep: SymbolicTensor | undefined): StepFunction
}

/** A recurrent layer with its weights. */
export interface ConfiguredRecurrentLayer<S extends Schema> extends ConfiguredLayer<RecurrentSchema<S>> {
  kernel: Variable
  recurrentKernel: Variable
  bias: Variable | undefined
  randomState: Variable
}

/** The class {@link recurrentLayer} makes. */
export interface RecurrentLayerClass<S extends Schema> extends Pick<ConfiguredLayerClass<RecurrentSchema<S>>, keyof ConfiguredLayerClass<Schema>> {
  new (...args: ConstructorParameters<ConfiguredLayerClass<RecurrentSchema<S>>>): ConfiguredRecurrentLayer<S>
}

/** The base of a recurrent layer: options, weights, first and last states, masks and dropout; a cell says the rest. */
export function recurrentLayer<const S extends Schema>(cell: Cell<S>): RecurrentLayerClass<S> {
  const { className, gates } = cell

  class Recurrent extends configured(className, { ...sharedOptions, ...cell.options }) {
    declare readonly config: Config<RecurrentSchema<S>>
    declare kernel: Variable
    declare recurrentKernel: Variable
    declare bias: Variable | undefined
    declare randomState: Variable
    override supportsMasking = true

    constructor(config: never) {
      super(config)
      if (this.#shared.stateful) throw new ConfigError(`${className} '${this.name}': 'stateful' is not supported yet`)
    }

    get #shared(): Config<typeof sharedOptions> {
      return this.config as Config<typeof sharedOptions>
    }

    /** @internal Files keep the weights below the cell. */
    override get variablesPath(): string {
      return 'cell'
    }

    override build(inputShape: Structure<Shape>): void {
      const shape = sequenceShape(inputShape)
      const { units, useBias, dropout, recurrentDropout, seed } = this.#shared
      const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.#shared
      this.kernel = this.#cellWeight({
        name: 'kernel',
        shape: [knownExtent(shape, -1), gates * units],
        initializer: kernelInitializer,
        regularizer: kernelRegularizer,
        constraint: kernelConstraint,
      })
      const { recurrentInitializer, recurrentRegularizer, recurrentConstraint } = this.#shared
      this.recurrentKernel = this.#cellWeight({
        name: 'recurrent_kernel',
        shape: [units, gates * units],
        initializer: recurrentInitializer,
        regularizer: recurrentRegularizer,
        constraint: recurrentConstraint,
      })
      if (useBias) {
        const { biasRegularizer, biasConstraint } = this.#shared
        this.bias = this.#cellWeight({
          name: 'bias',
          shape: cell.biasShape(this.config),
          initializer: cell.biasInitializer(this.config),
          regularizer: biasRegularizer,
          constraint: biasConstraint,
        })
      }
      if (dropout > 0 || recurrentDropout > 0) {
        this.randomState = this.addState(`${cell.name}/seed_generator/seed_generator_state`, firstRandomState(seed))
      }
    }

    override call(inputs: Structure<SymbolicTensor>, context: CallContext): Structure<SymbolicTensor> {
      const { units, activation, recurrentActivation, goBackwards, returnSequences, returnState } = this.#shared
      const [sequence, given] = sequenceWithStates(inputs, context)
      checkSequence(sequence, this.kernel.shape[0] as number)
      const first = firstStates(sequence, given, cell.states, units)
      const { dropout, recurrentDropout, zeroOutputForMask } = this.#shared
      const x = context.training && dropout > 0 ? ops.multiply(sequence, keepFactors(sequence, dropout, [null, 1, null], this.randomState)) : sequence
      const bias = this.bias ?? ops.fill(sequence, cell.biasShape(this.config), 0)
      const mask = firstMask(context.mask)
      const weights: CellWeights = { kernel: this.kernel, recurrentKernel: this.recurrentKernel, bias, mask }
      const drops = context.training && recurrentDropout > 0
      let results: SymbolicTensor[]
      if (activation === tanh && recurrentActivation === sigmoid && !drops) results = cell.fused(x, first, weights, this.config)
      else {
        const columns = cell.dropsEachGate ? gates * units : units
        const keep = drops ? keepFactors(sequence, recurrentDropout, [null, columns], this.randomState) : undefined
        results = stepByStep(x, first, mask, goBackwards, cell.step(weights, this.config, keep))
      }
      const [outputs, ...last] = results as [SymbolicTensor, SymbolicTensor, SymbolicTensor?]
      const [sequences, output] = zeroOutputForMask ? zeroWhereMasked(outputs, last[0], mask, goBackwards) : [outputs, last[0]]
      const result = returnSequences ? sequences : output
      return returnState ? [result, ...(last as SymbolicTensor[])] : result
    }

    override computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks): Masks {
      const { returnSequences, returnState } = this.#shared
      const own = returnSequences ? firstMask(mask) : undefined
      return returnState ? [own, ...Array.from({ length: cell.states }, () => undefined)] : own
    }

    #cellWeight(options: WeightOptions): Variable {
      const variable = this.addWeight(options)
      variable.path = `${this.name}/${cell.name}/${options.name}`
      return variable
    }
  }
  return Recurrent as unknown as RecurrentLayerClass<S>
}
