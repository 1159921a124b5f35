import test from 'ava'
import { ConfigError, schedules } from '../../ts/index.ts'
import type { SerializedObject } from '../../ts/core/registry.ts'
import { findSchedule } from '../../ts/schedules/schedule.ts'
import { golden, numbers, type GoldenTensor } from '../helpers/golden.ts'

for (const c of golden<{ name: string; config: SerializedObject; learning_rates: GoldenTensor }[]>('schedules.json')) {
  test(`${c.name}: the first steps are Keras's`, (t) => {
    const schedule = findSchedule(c.config)
    numbers(c.learning_rates).forEach((rate, step) => {
      const got = schedule?.at(step) ?? NaN
      // Near its end a cosine is a difference of numbers near the first rate.
      t.true(Math.abs(got - rate) <= 1e-6 * Math.max(Math.abs(rate), 0.1), `step ${step}: ${got} instead of ${rate}`)
    })
  })

  test(`${c.name}: the form in files is Keras's`, (t) => {
    const written = (findSchedule(c.config) as unknown as { kerasConfig(): Record<string, unknown> }).kerasConfig()
    const plain = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(plain) : ((value as { value?: number } | null)?.value ?? value)
    t.deepEqual(
      Object.fromEntries(Object.entries(written).map(([key, value]) => [key, plain(value)])),
      c.config.config as object,
    )
  })
}

test('options are checked', (t) => {
  t.throws(() => schedules.ExponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 }), {
    instanceOf: ConfigError,
    message: /'decaySteps' must be an integer >= 1/,
  })
  t.throws(() => schedules.PiecewiseConstantDecay({ boundaries: [1, 2], values: [1, 2] }), {
    instanceOf: ConfigError,
    message: /one more value than boundaries/,
  })
  t.throws(() => schedules.PiecewiseConstantDecay({ boundaries: [2, 1], values: [1, 2, 3] }), {
    instanceOf: ConfigError,
    message: /boundaries that rise/,
  })
})
