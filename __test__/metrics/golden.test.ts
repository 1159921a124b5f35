import test from 'ava'
import type { SerializedObject } from '../../ts/core/registry.ts'
import { getMetric } from '../../ts/metrics/metric.ts'
import { decode, golden, numbers, type GoldenTensor, type NamedTensor } from '../helpers/golden.ts'

interface MetricCase {
  readonly name: string
  readonly config: SerializedObject
  readonly result_before: GoldenTensor | null
  readonly updates: readonly { readonly arguments: readonly GoldenTensor[]; readonly result: GoldenTensor }[]
  readonly variables: readonly NamedTensor[]
  readonly result_after_reset: GoldenTensor
}

const later = golden<MetricCase[]>('metrics_later.json').filter(
  ({ config }) => config.class_name === 'CosineSimilarity',
)
for (const c of [...golden<MetricCase[]>('metrics.json'), ...later]) {
  test(`${c.name}: every update gives Keras's result`, (t) => {
    const metric = getMetric(c.config)
    const near = (got: number, expected: GoldenTensor, what: string): void => {
      const wanted = numbers(expected)[0] as number
      t.true(
        Object.is(got, wanted) || Math.abs(got - wanted) <= 2e-6 * Math.max(1, Math.abs(wanted)),
        `${what}: ${got} instead of ${wanted}`,
      )
    }
    if (c.result_before) near(metric.value(), c.result_before, 'before')
    c.updates.forEach((update, i) => {
      const [a, b, weight] = update.arguments.map((stored) => decode(stored))
      metric.updateState(a as never, b as never, weight as never)
      near(metric.value(), update.result, `update ${i}`)
    })
    t.deepEqual(
      metric.variables.map(({ name }) => name),
      c.variables.map(({ path }) => path.split('/').at(-1)),
    )
    metric.variables.forEach((variable, i) =>
      near(variable.read().item(), (c.variables[i] as NamedTensor).tensor, variable.name),
    )
    metric.resetState()
    near(metric.value(), c.result_after_reset, 'after reset')
  })
}
