import test from 'ava'
import { ConfigError, ShapeError } from '../../ts/core/errors.ts'
import { setRandomSeed } from '../../ts/core/seed.ts'
import { toPlainObject, type Serializable } from '../../ts/core/serializable.ts'
import type { SerializedObject } from '../../ts/core/registry.ts'
import * as initializers from '../../ts/initializers/index.ts'
import type { RandomInitializer } from '../../ts/initializers/random-initializer.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'
import { decode, golden, type GoldenTensor } from '../helpers/golden.ts'

interface Stored {
  readonly random: readonly (Record<string, unknown> & { readonly config: SerializedObject; readonly shape: number[]; readonly distribution: string })[]
  readonly fixed: readonly { readonly config: SerializedObject; readonly shape: number[]; readonly values: GoldenTensor }[]
  readonly orthogonal: readonly { readonly config: SerializedObject; readonly shape: number[]; readonly orthogonal: 'rows' | 'columns'; readonly squared_norm: number }[]
  readonly strings: readonly { readonly name: string; readonly config: SerializedObject }[]
}
const stored = golden<Stored>('initializers.json')

test('the distribution follows from the shape as in Keras', (t) => {
  for (const { config, shape, distribution, ...limits } of stored.random) {
    const initializer = initializers.get(config) as RandomInitializer
    const got = initializer.distributionFor(shape) as unknown as Record<string, unknown>
    const label = `${config.class_name} ${shape.join(' x ')}`
    t.is(got['distribution'], distribution, label)
    for (const [key, value] of Object.entries(limits)) {
      t.true(Math.abs((got[key] as number) - (value as number)) <= 1e-12 * Math.abs(value as number), `${label}: ${key}`)
    }
  }
})

test('fixed values are those of Keras', (t) => {
  for (const { config, shape, values } of stored.fixed) {
    // Keras leaves the gain out of the configuration of Identity.
    const whole = config.class_name === 'Identity' ? { ...config, config: { gain: Number(values.data[0]) } } : config
    t.deepEqual(initializers.get(whole).make(shape, 'float32').toArray(), decode(values).toArray(), config.class_name)
  }
})

test('orthogonal rows or columns', (t) => {
  for (const { config, shape, orthogonal, squared_norm: norm } of stored.orthogonal) {
    const values = initializers.get(config).make(shape, 'float32')
    t.deepEqual([...values.shape], shape)
    const columns = shape.at(-1) as number
    const rows = values.size / columns
    const at = (i: number, k: number): number => values.data[orthogonal === 'rows' ? i * columns + k : k * columns + i] as number
    const [count, length] = orthogonal === 'rows' ? [rows, columns] : [columns, rows]
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let dot = 0
        for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k)
        t.true(Math.abs(dot - (i === j ? norm : 0)) < 1e-5, `${shape.join(' x ')}: ${i} · ${j} = ${dot}`)
      }
    }
  }
})

test('names and configurations are those of Keras', (t) => {
  for (const { name, config } of stored.strings) {
    const got = toPlainObject(initializers.get(name) as unknown as Serializable)
    t.deepEqual(got, name === 'identity' ? { ...config, config: { gain: 1 } } : config, name)
  }
  t.true(initializers.get('glorotUniform') instanceof initializers.GlorotUniform)
  t.true(initializers.get('GlorotUniform') instanceof initializers.GlorotUniform)
})

function moments(values: Tensor): { mean: number; deviation: number; least: number; largest: number } {
  const data = Array.from(values.data)
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length)
  return { mean, deviation, least: data.reduce((a, b) => Math.min(a, b), Infinity), largest: data.reduce((a, b) => Math.max(a, b), -Infinity) }
}

const shape = [200, 500]

test('uniform numbers fill their range evenly', (t) => {
  const { mean, deviation, least, largest } = moments(initializers.RandomUniform({ minval: -1, maxval: 3, seed: 1 }).make(shape, 'float32'))
  t.true(Math.abs(mean - 1) < 0.02 && Math.abs(deviation - 4 / Math.sqrt(12)) < 0.02)
  t.true(least >= -1 && least < -0.99 && largest < 3 && largest > 2.99)
})

test('normal numbers have mean and deviation', (t) => {
  const { mean, deviation } = moments(initializers.RandomNormal({ mean: 2, stddev: 0.5, seed: 1 }).make(shape, 'float32'))
  t.true(Math.abs(mean - 2) < 0.01 && Math.abs(deviation - 0.5) < 0.01)
})

test('truncated numbers stay within two deviations', (t) => {
  const { mean, deviation, least, largest } = moments(initializers.TruncatedNormal({ stddev: 1, seed: 1 }).make(shape, 'float32'))
  t.true(Math.abs(mean) < 0.02)
  // The deviation of a standard normal distribution cut at two.
  t.true(Math.abs(deviation - 0.8796) < 0.01)
  t.true(least >= -2 && largest <= 2 && largest > 1.99)
})

test('scaled initializers have the variance that their name promises', (t) => {
  for (const [name, variance] of [['glorot_uniform', 2 / 700], ['glorot_normal', 2 / 700], ['he_uniform', 2 / 200], ['he_normal', 2 / 200], ['lecun_uniform', 1 / 200], ['lecun_normal', 1 / 200]] as const) {
    const { mean, deviation } = moments(initializers.get(name).make(shape, 'float32'))
    t.true(Math.abs(deviation ** 2 / variance - 1) < 0.03, `${name}: ${deviation ** 2}`)
    t.true(Math.abs(mean) < 4 * Math.sqrt(variance / 100000), name)
  }
})

function valuesOf(initializer: initializers.Initializer): number[] {
  return Array.from(initializer.make([4, 4], 'float32').data)
}

test('one instance repeats its values, another draws others, a seed repeats both', (t) => {
  const first = initializers.GlorotUniform()
  t.deepEqual(valuesOf(first), valuesOf(first))
  t.notDeepEqual(valuesOf(first), valuesOf(initializers.GlorotUniform()))
  t.deepEqual(valuesOf(initializers.GlorotUniform({ seed: 5 })), valuesOf(initializers.GlorotUniform({ seed: 5 })))
  t.deepEqual(valuesOf(initializers.Orthogonal({ seed: 5 })), valuesOf(initializers.Orthogonal({ seed: 5 })))
  t.notDeepEqual(valuesOf(initializers.GlorotUniform({ seed: 5 })), valuesOf(initializers.GlorotUniform({ seed: 6 })))
  const drawn = (): number[] => {
    setRandomSeed(9)
    return valuesOf(initializers.HeNormal())
  }
  t.deepEqual(drawn(), drawn())
})

test('a seed that was drawn stays out of the configuration', (t) => {
  t.deepEqual(initializers.GlorotUniform().getConfig(), { seed: null, inputAxes: null, outputAxes: null })
  t.deepEqual(initializers.RandomNormal({ seed: 3 }).getConfig(), { mean: 0, stddev: 0.05, seed: 3 })
})

test('a function makes the values', (t) => {
  t.deepEqual(initializers.get((extents) => new Float32Array(extents[0] as number).fill(2)).make([3], 'float32').toArray(), [2, 2, 2])
  t.throws(() => initializers.get(() => tensor([1, 2])).make([3], 'float32'), { instanceOf: ShapeError, message: /expected values of shape \[3\], received \[2\]/ })
})

test('what cannot be made is refused', (t) => {
  t.throws(() => initializers.get('xavier'), { instanceOf: ConfigError, message: /expected an initializer: a name \(.*Received: 'xavier'/ })
  t.throws(() => initializers.Identity().make([2], 'float32'), { instanceOf: ShapeError, message: 'Identity: expected rank 2, received [2]' })
  t.throws(() => initializers.Orthogonal().make([2], 'float32'), { instanceOf: ShapeError, message: /rank 2 or more/ })
  t.throws(() => initializers.GlorotUniform().make([2], 'int32'), { instanceOf: ConfigError, message: /expected dtype 'float32'/ })
  t.throws(() => initializers.RandomNormal({ stddev: -1 }), { instanceOf: ConfigError, message: /'stddev' must be a finite number >= 0/ })
})

test('no elements are no trouble', (t) => {
  for (const name of ['zeros', 'ones', 'glorot_uniform', 'he_normal', 'orthogonal']) t.is(initializers.get(name).make([0, 3], 'float32').size, 0, name)
})
