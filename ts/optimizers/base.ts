import { ConfigError, StateError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { PythonFloat } from '../core/python-json.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { DType } from '../core/types.ts'
import { tensor, zeros, type Tensor } from '../native/tensor.ts'
import { currentTrace, withoutTrace } from '../native/trace.ts'
import { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { Schedule } from '../schedules/base.ts'
import { clipped } from './clip.ts'
import { divideWhole } from './divide-whole.ts'

/** What every optimizer knows of its options. */
export interface OptimizerSettings {
  readonly name: string
  readonly learningRate: number | Schedule
  readonly weightDecay: number | null
  readonly clipnorm: number | null
  readonly globalClipnorm: number | null
  readonly clipvalue: number | null
  readonly useEma: boolean
  readonly emaMomentum: number
  readonly emaOverwriteFrequency: number | null
  readonly lossScaleFactor: number | null
  readonly gradientAccumulationSteps: number | null
}

/** What the update of one variable knows of the step. */
export interface Step {
  /** The learning rate of this step, a scalar. */
  readonly learningRate: SymbolicTensor
  /** The number of updates made so far, an int32 scalar. */
  readonly updates: SymbolicTensor
}

/** Gives a variable its next value, from its gradient. */
export type Update = (gradient: SymbolicTensor, variable: Variable) => void

/**
 * The base of all optimizers: what comes before and after the update of each variable. State is made by
 * {@link Optimizer.build}, in the order in which Keras's files keep it.
 */
export abstract class Optimizer {
  /** @internal The options, checked and complete; set by the class that holds them. */
  declare readonly config: OptimizerSettings
  #variables: Variable[] | undefined
  #learningRate: Variable | undefined
  #iteration: Variable | undefined
  #slots: Variable[] = []
  #trained: readonly Variable[] = []
  #averages = new Map<Variable, Variable>()
  #accumulators = new Map<Variable, Variable>()
  #undecayed: (variable: Variable) => boolean = () => false

  /** The name. */
  get name(): string {
    return this.config.name
  }

  /** Whether the state for the trained variables exists. */
  get built(): boolean {
    return this.#variables !== undefined
  }

  /**
   * The state in the order of Keras's files: `iteration`, `learning_rate` (unless a schedule makes it), moving averages,
   * gradient accumulators, then the optimizer's own. Empty before {@link Optimizer.build}.
   */
  get variables(): readonly Variable[] {
    return this.#variables ?? []
  }

  /** The number of batches stepped on, an int32 scalar. */
  get iterations(): Variable {
    this.#iteration ??= this.#variable('iteration', tensor(0, [], 'int32'))
    return this.#iteration
  }

  /** The learning rate now: the number, or what the schedule makes of the number of steps taken. Set it to change it. */
  get learningRate(): number {
    const { learningRate } = this.config
    if (learningRate instanceof Schedule) return withoutTrace(() => learningRate.at(this.iterations.read().item()))
    return this.#learningRate ? this.#learningRate.read().item() : learningRate
  }

  set learningRate(value: number) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new ConfigError(`${this.name}: expected a finite learning rate, received ${show(value)}`)
    }
    if (this.config.learningRate instanceof Schedule) {
      throw new StateError(
        `${this.name}: expected an optimizer whose learning rate is a number; this one has a schedule, so it cannot be set`,
      )
    }
    this.#rate().assign(tensor(value))
  }

  /** Leaves variables out of weight decay: those given, and those whose path contains one of the names. Before the first step. */
  excludeFromWeightDecay(options: {
    readonly variables?: readonly Variable[]
    readonly names?: readonly string[]
  }): void {
    if (this.built) throw new StateError(`${this.name}: excludeFromWeightDecay is to be called before the first step`)
    const { variables = [], names = [] } = options
    this.#undecayed = (variable) => variables.includes(variable) || names.some((name) => variable.path.includes(name))
  }

  /** Makes the state for the variables that will be trained, unless it was made for them before. */
  build(trained: readonly Variable[]): void {
    if (this.built) {
      if (trained.length === this.#trained.length && trained.every((variable, i) => variable === this.#trained[i]))
        return
      throw new StateError(
        `${this.name}: expected the ${this.#trained.length} variables it was built for, received others; a new set of variables needs a new optimizer`,
      )
    }
    withoutTrace(() => {
      this.#trained = [...trained]
      const scheduled = this.config.learningRate instanceof Schedule
      const first = scheduled ? [this.iterations] : [this.iterations, this.#rate()]
      if (this.config.useEma) this.#averages = this.addSlots(trained, 'average')
      if (this.config.gradientAccumulationSteps) this.#accumulators = this.addSlots(trained, 'gradient_accumulator')
      const common = this.#slots.length
      this.createSlots(trained)
      this.#variables = [...first, ...this.#slots]
      this.#slots = this.#slots.slice(common)
    })
  }

  /** Makes the optimizer's own state with {@link Optimizer.addSlots}. */
  protected createSlots(_trained: readonly Variable[]): void {}

  /** A variable of zeros for each trained variable; several names are made in turn for each. */
  protected addSlots(trained: readonly Variable[], name: string): Map<Variable, Variable>
  protected addSlots(trained: readonly Variable[], names: readonly string[]): Map<Variable, Variable>[]
  protected addSlots(
    trained: readonly Variable[],
    names: string | readonly string[],
  ): Map<Variable, Variable> | Map<Variable, Variable>[] {
    const list = typeof names === 'string' ? [names] : names
    const maps = list.map(() => new Map<Variable, Variable>())
    for (const variable of trained) {
      list.forEach((name, i) => {
        const slot = this.#variable(
          `${variable.path.replaceAll('/', '_')}_${name}`,
          zeros(variable.shape, variable.dtype),
        )
        this.#slots.push(slot)
        maps[i]?.set(variable, slot)
      })
    }
    return typeof names === 'string' ? (maps[0] as Map<Variable, Variable>) : maps
  }

  /** The update of one variable, written in ops; what all variables share is computed before it is returned. */
  protected abstract updater(step: Step): Update

  /** The loss from which gradients are to be taken. */
  scaleLoss(loss: SymbolicTensor): SymbolicTensor {
    const { lossScaleFactor } = this.config
    return lossScaleFactor === null ? loss : ops.multiply(loss, lossScaleFactor)
  }

  /**
   * One step, written in ops: clipping, weight decay, the update, moving averages, constraints, in Keras's order.
   *
   * @param gradients One for each variable; variables without are left as they are.
   * @throws StateError when no variable has a gradient.
   */
  apply(gradients: readonly (SymbolicTensor | undefined)[], variables: readonly Variable[]): void {
    if (variables.length === 0) return
    this.build(variables)
    const reached = variables.filter((_, i) => gradients[i] !== undefined)
    if (reached.length === 0)
      throw new StateError(`${this.name}: no variable has a gradient: the loss depends on none of them`)
    if (reached.length < variables.length) {
      const paths = variables.filter((variable) => !reached.includes(variable)).map((variable) => variable.path)
      process.emitWarning(`the loss does not depend on ${paths.join(', ')}, which training will not change`, {
        code: 'FERROGRAPH_NO_GRADIENT',
      })
    }
    const { lossScaleFactor, gradientAccumulationSteps } = this.config
    let list = gradients.filter((gradient) => gradient !== undefined)
    if (lossScaleFactor !== null) list = list.map((gradient) => ops.divide(gradient, lossScaleFactor))
    if (gradientAccumulationSteps === null) this.#update(list, reached, this.#now(this.iterations))
    else this.#accumulate(list, reached, gradientAccumulationSteps)
    if (this.config.useEma) this.#average()
    for (const variable of reached) {
      if (variable.constraint) variable.assign(variable.constraint(this.#now(variable)))
    }
    this.iterations.assign(ops.add(this.iterations, 1))
  }

  /** Puts the moving averages in place of the weights, where averages are kept: the end of training. */
  finalizeVariables(): void {
    for (const [variable, average] of this.#averages) variable.assign(average.read())
  }

  #update(gradients: readonly SymbolicTensor[], variables: readonly Variable[], updates: SymbolicTensor): void {
    const { learningRate, weightDecay } = this.config
    const rate =
      learningRate instanceof Schedule
        ? learningRate.rate(ops.cast(this.#now(this.iterations), 'float32'))
        : this.#now(this.#rate())
    const limited = clipped(gradients, this.config)
    const update = this.updater({ learningRate: rate, updates })
    variables.forEach((variable, i) => {
      if (weightDecay !== null && !this.#undecayed(variable)) {
        const decay = ops.multiply(ops.multiply(variable, weightDecay), rate)
        variable.assign(ops.subtract(variable, decay))
      }
      update(limited[i] as SymbolicTensor, variable)
    })
  }

  /** Adds gradients up, and updates with their mean on every `steps`-th batch. */
  #accumulate(gradients: readonly SymbolicTensor[], variables: readonly Variable[], steps: number): void {
    const updates = divideWhole(this.#now(this.iterations), steps)
    const due = ops.equal(divideWhole(ops.add(this.iterations, 1), steps), ops.add(updates, 1))
    const sums = gradients.map((gradient, i) => ops.add(gradient, this.#accumulator(variables[i] as Variable)))
    const kept = [...variables, ...this.#slots].map((variable) => [variable, this.#now(variable)] as const)
    this.#update(
      sums.map((sum) => ops.divide(sum, steps)),
      variables,
      updates,
    )
    for (const [variable, before] of kept) variable.assign(ops.where(due, this.#now(variable), before))
    variables.forEach((variable, i) => this.#accumulator(variable).assign(ops.where(due, 0, sums[i] as SymbolicTensor)))
  }

  #accumulator(variable: Variable): Variable {
    return this.#accumulators.get(variable) as Variable
  }

  #average(): void {
    const { emaMomentum, emaOverwriteFrequency, gradientAccumulationSteps } = this.config
    const updates =
      gradientAccumulationSteps === null
        ? this.#now(this.iterations)
        : divideWhole(this.#now(this.iterations), gradientAccumulationSteps)
    const momentum = ops.multiply(ops.cast(ops.notEqual(updates, 0), 'float32'), emaMomentum)
    for (const [variable, average] of this.#averages) {
      average.assign(ops.add(ops.multiply(average, momentum), ops.multiply(variable, ops.subtract(1, momentum))))
    }
    if (emaOverwriteFrequency === null) return
    const next = ops.add(updates, 1)
    const due = ops.equal(ops.multiply(divideWhole(next, emaOverwriteFrequency), emaOverwriteFrequency), next)
    for (const [variable, average] of this.#averages) variable.assign(ops.where(due, average, variable))
  }

  /** The value of a variable at this point of the step. */
  #now(variable: Variable): SymbolicTensor {
    return currentTrace()?.read(variable) ?? (variable.read() as unknown as SymbolicTensor)
  }

  #rate(): Variable {
    this.#learningRate ??= this.#variable('learning_rate', tensor(this.config.learningRate as number))
    return this.#learningRate
  }

  #variable(name: string, value: Tensor, dtype: DType = value.dtype): Variable {
    const variable = withoutTrace(
      () => new Variable(name, value.dtype === dtype ? value : tensor(value, undefined, dtype), { trainable: false }),
    )
    variable.path = `${this.name}/${name}`
    return variable
  }

  /** @internal The learning rate as files hold it. */
  protected savedLearningRate(): { learning_rate?: PythonFloat } {
    return this.config.learningRate instanceof Schedule ? {} : { learning_rate: new PythonFloat(this.learningRate) }
  }
}
