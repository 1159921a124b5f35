import { StateError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { flatten, type Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import type { Program } from '../native/program.ts'
import type { Tensor } from '../native/tensor.ts'
import { Trace } from '../native/trace.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import type { Logs } from './callbacks/callback.ts'
import type { Compiled } from './compile.ts'
import type { StepBatch } from './data/step-batch.ts'
import { traceModel, type InputPlace } from './outputs.ts'
import type { Trainable } from './trainable.ts'

/** What a step program is traced for. */
export interface StepRequest {
  readonly model: Trainable
  readonly compiled: Compiled
  /** Whether the step trains, or only measures. */
  readonly trains: boolean
  readonly places: Structure<InputPlace>
  /** Whether the metrics begin anew with this step. */
  readonly resets: boolean
  /** The variables that stand for the metrics' own. */
  readonly standIn?: (variable: Variable) => Variable
}

/** One native program for a whole step: forward, loss, gradients, update and metrics; it returns the logs. */
export class StepProgram {
  readonly #program: Program
  readonly #keys: readonly string[]

  constructor(request: StepRequest, batch: StepBatch) {
    const { model, trains } = request
    const trace = new Trace(`${trains ? 'training' : 'evaluation'} of '${model.name}'`, trains)
    if (request.standIn) trace.standIn = request.standIn
    const results = trace.within(() => traceStep(trace, request, batch))
    this.#keys = results.map(([key]) => key)
    this.#program = trace.compile([ops.stack(results.map(([, value]) => ops.cast(value, 'float32')))])
  }

  /** Runs the step on the library's own threads. */
  async run(batch: StepBatch, signal?: AbortSignal): Promise<Logs> {
    const [{ elements }] = (await this.#program.run(tensorsOf(batch), signal)) as [Tensor]
    return Object.fromEntries(this.#keys.map((key, i) => [key, elements[i] as number]))
  }

  /** The steps for such a batch, for people; with `runs`, timed. */
  describe(batch: StepBatch, runs: number | undefined): string {
    return this.#program.describe(tensorsOf(batch), runs)
  }
}

/** The tensors of a batch in the order in which {@link traceStep} adds its inputs. */
function tensorsOf({ inputs, targets, weights }: StepBatch): Tensor[] {
  return [...inputs, ...targets, ...weights].filter((tensor) => tensor !== undefined)
}

function traceStep(
  trace: Trace,
  { model, compiled, trains, places, resets }: StepRequest,
  batch: StepBatch,
): [key: string, value: SymbolicTensor][] {
  if (resets) for (const metric of compiled.stateful) metric.resetState()
  const { inputs, outputs } = traceModel(trace, model, places)
  const yPred = flatten(outputs)
  const add = (given: readonly (Tensor | undefined)[], name: string): (SymbolicTensor | undefined)[] =>
    given.map(
      (tensor, i) => tensor && trace.input(targetShape(tensor.shape, yPred[i]?.shape ?? []), tensor.dtype, name),
    )
  const yTrue = add(batch.targets, 'target')
  const sampleWeights = add(batch.weights, 'sample weights')
  const loss = totalLoss(trace, model, compiled.loss.compute(yTrue, yPred, sampleWeights))
  const rows = ops.size(inputs[0] as SymbolicTensor, { axis: 0 })
  compiled.lossTracker.updateState(loss ?? ops.multiply(rows, 0), rows)
  compiled.metrics.update(yTrue, yPred, sampleWeights)
  const results = compiled.results()
  if (trains) {
    if (!loss)
      throw new StateError(
        `'${model.name}': expected a loss to train with: give one to compile, or add one with addLoss`,
      )
    update(trace, compiled, model, loss)
  }
  return results
}

/** Extents of targets and weights: those that the prediction does not know may differ from batch to batch. */
export function targetShape(shape: readonly number[], predicted: Shape): Shape {
  return shape.map((extent, axis) => (axis === 0 || (predicted[axis] === null && extent !== 1) ? null : extent))
}

/** The losses of the outputs, what layers added, and the penalties on trainable weights. */
function totalLoss(trace: Trace, model: Trainable, ofOutputs: SymbolicTensor | undefined): SymbolicTensor | undefined {
  const penalties = model.trainableWeights.flatMap(({ regularizer }, i) =>
    regularizer ? [regularizer(trace.read(model.trainableWeights[i] as Variable)) as SymbolicTensor] : [],
  )
  const parts = [...(ofOutputs ? [ofOutputs] : []), ...trace.losses, ...penalties]
  return parts.reduce<SymbolicTensor | undefined>((total, part) => (total ? ops.add(total, part) : part), undefined)
}

function update(trace: Trace, compiled: Compiled, model: Trainable, loss: SymbolicTensor): void {
  compiled.trained ??= model.trainableWeights
  const variables = compiled.trained
  const gradients = trace.gradients(
    compiled.optimizer.scaleLoss(loss),
    variables.map((variable) => trace.read(variable)),
  )
  compiled.optimizer.apply(gradients, variables)
}
