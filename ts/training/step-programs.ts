import { currentPrecision } from '../native/settings.ts'
import { Trace } from '../native/trace.ts'
import { Variable } from '../native/variable.ts'
import type { Program } from '../native/program.ts'
import type { Compiled } from './compile.ts'
import type { StepBatch } from './data/step-batch.ts'
import type { InputPlace } from './outputs.ts'
import type { Structure } from '../core/tree.ts'
import { StepProgram, targetShape } from './step-program.ts'
import type { Trainable } from './trainable.ts'

const mostPrograms = 32

/**
 * The programs of one kind of step with the state of their metrics. Training uses the metrics' own variables; every
 * evaluation under way has variables that stand for them, so that it disturbs neither training nor another evaluation.
 */
export class StepPrograms {
  readonly #model: Trainable
  readonly #compiled: Compiled
  readonly #trains: boolean
  readonly #standIns: Map<Variable, Variable> | undefined
  readonly #programs = new Map<string, StepProgram>()
  #reset: Program | undefined

  constructor(model: Trainable, compiled: Compiled, trains: boolean) {
    this.#model = model
    this.#compiled = compiled
    this.#trains = trains
    this.#standIns = trains ? undefined : new Map()
  }

  /**
   * The program for batches of these shapes; targets may differ in extents that the model does not know.
   *
   * @param resets Whether the metrics begin anew with each step, as {@link StepPrograms.reset} lets them.
   */
  for(places: Structure<InputPlace>, batch: StepBatch, resets = false): StepProgram {
    const key = `${resets}${this.#key(batch)}`
    const known = this.#programs.get(key)
    if (known) return known
    const request = { model: this.#model, compiled: this.#compiled, trains: this.#trains, places, resets }
    const make = (): StepProgram =>
      new StepProgram(this.#standIns ? { ...request, standIn: (variable) => this.#standIn(variable) } : request, batch)
    const stateBefore = this.#stateSize
    let program = make()
    // Metrics that make state when they see the first shapes have all of it now.
    this.#reset = undefined
    if (resets && this.#stateSize > stateBefore) program = make()
    if (this.#programs.size >= mostPrograms) this.#programs.delete(this.#programs.keys().next().value as string)
    this.#programs.set(key, program)
    return program
  }

  /** Sets the state of the metrics back to before the first batch. */
  async reset(): Promise<void> {
    this.#reset ??= this.#traceReset()
    await this.#reset.run([])
  }

  #traceReset(): Program {
    const trace = new Trace('reset of metrics')
    trace.standIn = (variable) => this.#standIn(variable)
    trace.within(() => {
      for (const metric of this.#compiled.stateful) metric.resetState()
    })
    return trace.compile([])
  }

  #standIn(variable: Variable): Variable {
    const standIns = this.#standIns
    if (!standIns || !this.#isMetricState(variable)) return variable
    const known = standIns.get(variable)
    if (known) return known
    const made = new Variable(variable.name, variable.read(), { trainable: false })
    made.path = variable.path
    standIns.set(variable, made)
    return made
  }

  get #stateSize(): number {
    return this.#compiled.stateful.reduce((n, metric) => n + metric.variables.length, 0)
  }

  #isMetricState(variable: Variable): boolean {
    return this.#compiled.stateful.some((metric) => metric.variables.includes(variable))
  }

  #key({ inputs, targets, weights }: StepBatch): string {
    const outputs = this.#compiled.outputs?.flat ?? []
    const own =
      this.#model.inputDescriptions === undefined
        ? inputs.map(({ dtype, shape }) => `${dtype}${shape.slice(1).join()}`)
        : []
    const others = [targets, weights].map((list) =>
      list.map((tensor, i) =>
        tensor ? `${tensor.dtype}${targetShape(tensor.shape, outputs[i]?.shape ?? []).join()}` : '',
      ),
    )
    return JSON.stringify([currentPrecision(), own, ...others])
  }
}
