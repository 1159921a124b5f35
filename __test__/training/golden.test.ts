import test, { type ExecutionContext } from 'ava'
import type { Model, Tensor } from '../../ts/index.ts'
import { modelFromJSON } from '../../ts/index.ts'
import { flatten } from '../../ts/core/tree.ts'
import type { InputData, TargetData } from '../../ts/training/data/types.ts'
import {
  decode,
  decodeAll,
  golden,
  numbers,
  relativeError,
  type GoldenTensor,
  type NamedTensor,
} from '../helpers/golden.ts'

interface TrainingCase {
  readonly model: unknown
  readonly compile: Record<string, unknown>
  readonly initial_weights: readonly NamedTensor[]
  readonly x: unknown
  readonly y: unknown
  readonly sample_weight?: unknown
  readonly class_weight?: Record<number, number>
  readonly validation_split?: number
  readonly batch_size: number
  readonly epochs: number
  readonly steps: number
  readonly history: Record<string, number[]>
  readonly final_weights: readonly NamedTensor[]
  readonly optimizer_variables?: readonly NamedTensor[]
  readonly evaluate: Record<string, number>
  readonly predict: unknown
}

// What the library promises for 20 steps of training against Keras.
const tolerance = 1e-4

function prepare(c: TrainingCase): Model {
  const model = modelFromJSON(JSON.stringify(c.model))
  model.weights.forEach((variable, i) => variable.assign(decode((c.initial_weights[i] as NamedTensor).tensor)))
  model.trainer.compileFromConfig(c.compile)
  return model
}

function near(t: ExecutionContext, got: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const error = relativeError(got, expected)
  t.true(error < tolerance, `${what}: ${error}`)
}

for (const name of [
  'mlp_adam',
  'cnn_sgd',
  'lstm_rmsprop',
  'two_heads_adamw',
  'two_heads_by_name',
  'regularized_mlp',
  'guide_mlp',
]) {
  test(`${name}: twenty steps give Keras's history, weights and optimizer state`, async (t) => {
    const c = golden<TrainingCase>(`training/${name}.json`)
    const model = prepare(c)
    const [x, y] = [decodeAll(c.x) as InputData, decodeAll(c.y) as TargetData]
    const sampleWeight = c.sample_weight === undefined ? {} : { sampleWeight: decodeAll(c.sample_weight) as TargetData }
    const history = await model.fit(x, y, {
      batchSize: c.batch_size,
      epochs: c.epochs,
      shuffle: false,
      verbose: 0,
      ...sampleWeight,
      ...(c.class_weight ? { classWeight: c.class_weight } : {}),
      ...(c.validation_split ? { validationSplit: c.validation_split } : {}),
    })
    t.deepEqual(Object.keys(history.history), Object.keys(c.history))
    for (const [key, values] of Object.entries(c.history)) near(t, history.history[key] as number[], values, key)
    model.weights.forEach((variable, i) =>
      near(t, variable.read().data, numbers((c.final_weights[i] as NamedTensor).tensor), variable.path),
    )
    c.optimizer_variables?.forEach(({ path, tensor }, i) => {
      const variable = model.trainer.optimizer?.variables[i]
      t.is(variable?.path, path)
      near(t, variable?.read().data ?? [], numbers(tensor), path)
    })
    const scores = await model.evaluate(x, y, { batchSize: c.batch_size, verbose: 0, ...sampleWeight })
    t.deepEqual(Object.keys(scores), Object.keys(c.evaluate))
    for (const [key, value] of Object.entries(c.evaluate)) near(t, [scores[key] as number], [value], `evaluate ${key}`)
    const outputs = flatten((await model.predict(x, { batchSize: c.batch_size })) as unknown as Tensor | Tensor[])
    flatten(decodeAll(c.predict)).forEach((expected, i) =>
      near(t, (outputs[i] as Tensor).data, (expected as Tensor).data, `prediction ${i}`),
    )
  })

  test(`${name}: the compile options are written as Keras writes them`, (t) => {
    const c = golden<TrainingCase>(`training/${name}.json`)
    const written = JSON.parse(
      JSON.stringify(prepare(c).trainer.compileConfig(), (_, value: unknown) => (isFloat(value) ? value.value : value)),
    ) as Record<string, unknown>
    const { loss } = written as { loss: { config?: Record<string, unknown> } }
    // Keras takes this axis but does not write it.
    if (name === 'regularized_mlp') delete loss.config?.['axis']
    t.deepEqual(written, c.compile)
  })
}

function isFloat(value: unknown): value is { value: number } {
  return typeof value === 'object' && value !== null && value.constructor.name === 'PythonFloat'
}

export type { GoldenTensor }
