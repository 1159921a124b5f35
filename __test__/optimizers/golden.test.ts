import test from 'ava'
import type { SerializedObject } from '../../ts/core/registry.ts'
import { Trace } from '../../ts/native/trace.ts'
import { Variable } from '../../ts/native/variable.ts'
import { getOptimizer } from '../../ts/optimizers/optimizer.ts'
import { decode, golden, numbers, relativeError, type GoldenTensor, type NamedTensor } from '../helpers/golden.ts'

interface OptimizerCase {
  readonly name: string
  readonly config: SerializedObject
  readonly initial_optimizer_variables: readonly NamedTensor[]
  readonly variables: readonly NamedTensor[]
  readonly steps: readonly { readonly gradients: readonly GoldenTensor[]; readonly values: readonly GoldenTensor[] }[]
  readonly optimizer_variables: readonly NamedTensor[]
  readonly finalized_values?: readonly GoldenTensor[]
}

// One step is exact to 1e-6; six of them, some through 1 / sqrt(v) with v near 0, to a few times that.
const tolerance = 3e-6

for (const c of golden<OptimizerCase[]>('optimizers.json')) {
  test(`${c.name}: six steps and the state are Keras's`, (t) => {
    const optimizer = getOptimizer(c.config)
    const variables = c.variables.map(({ path, tensor }) => new Variable(path, decode(tensor)))
    optimizer.build(variables)
    t.deepEqual(
      optimizer.variables.map(({ path, dtype, shape }) => [path, dtype, [...shape]]),
      c.initial_optimizer_variables.map(({ path, tensor }) => [path, tensor.dtype, [...tensor.shape]]),
    )
    const trace = new Trace(c.name)
    const gradients = variables.map(({ shape }) => trace.input(shape, 'float32'))
    trace.within(() => optimizer.apply(gradients, variables))
    const program = trace.compile([])
    c.steps.forEach((step, i) => {
      program.runSync(step.gradients.map(decode))
      variables.forEach((variable, v) => {
        const error = relativeError(variable.read().data, numbers(step.values[v] as GoldenTensor))
        t.true(error < tolerance, `${variable.path} after step ${i}: ${error}`)
      })
    })
    optimizer.variables.forEach((variable, v) => {
      const error = relativeError(variable.read().data, numbers((c.optimizer_variables[v] as NamedTensor).tensor))
      t.true(error < tolerance, `${variable.path}: ${error}`)
    })
    optimizer.finalizeVariables()
    c.finalized_values?.forEach((value, v) =>
      t.true(relativeError((variables[v] as Variable).read().data, numbers(value)) < tolerance),
    )
  })

  test(`${c.name}: the form in files is Keras's`, (t) => {
    const written = (getOptimizer(c.config) as unknown as { kerasConfig(): Record<string, unknown> }).kerasConfig()
    const plain = JSON.parse(
      JSON.stringify(written, (_, value: unknown) => (isFloat(value) ? value.value : value)),
    ) as unknown
    t.deepEqual(plain, c.config.config)
  })
}

function isFloat(value: unknown): value is { value: number } {
  return typeof value === 'object' && value !== null && value.constructor.name === 'PythonFloat'
}
