import test from 'ava'
import { setRandomSeed } from '../../ts/core/seed.ts'
import type { SymbolicTensor } from '../../ts/core/symbolic.ts'
import * as layers from '../../ts/layers/index.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'

const count = 40000
const ones = (): Tensor => tensor(new Float32Array(count).fill(1), [200, 200])
const mean = (x: Tensor): number => Array.from(x.data).reduce((sum, value) => sum + value, 0) / x.size
const kept = (x: Tensor): number => x.data.filter((value) => value !== 0).length / x.size

test('in training a share of the elements is dropped and the mean stays', (t) => {
  for (const rate of [0.1, 0.5, 0.8]) {
    const y = layers.Dropout({ rate, seed: 7 })(ones(), { training: true })
    // Four standard deviations of the mean of 40,000 draws.
    const slack = 4 * Math.sqrt((rate * (1 - rate)) / count)
    t.true(Math.abs(kept(y) - (1 - rate)) < Math.min(slack, 0.02), `kept ${kept(y)}`)
    t.true(Math.abs(mean(y) - 1) < slack / (1 - rate), `mean ${mean(y)}`)
    t.true(Array.from(y.data).every((value) => value === 0 || value === Math.fround(1 / (1 - rate))))
  }
})

test('outside training the input passes unchanged', (t) => {
  t.deepEqual(layers.Dropout({ rate: 0.5 })(tensor([[1, 2, 3]])).toArray(), [[1, 2, 3]])
  t.deepEqual(layers.GaussianNoise({ stddev: 1 })(tensor([[1, 2, 3]])).toArray(), [[1, 2, 3]])
})

test('rate 0 drops nothing and rate 1 everything', (t) => {
  t.deepEqual(layers.Dropout({ rate: 0 })(tensor([[1, 2]]), { training: true }).toArray(), [[1, 2]])
  t.deepEqual(layers.Dropout({ rate: 1 })(tensor([[1, NaN]]), { training: true }).toArray(), [[0, 0]])
})

function twoDraws(seed: number): number[][] {
  const dropout = layers.Dropout({ rate: 0.5, seed })
  return [1, 2].map(() => Array.from(dropout(ones(), { training: true }).data))
}

test('a seed repeats the draws; each call draws others', (t) => {
  const [first, second] = twoDraws(3)
  t.notDeepEqual(first, second)
  t.deepEqual(twoDraws(3), [first, second])
  t.notDeepEqual(twoDraws(4)[0], first)
})

function drawFromLibrarySeed(): number[] {
  setRandomSeed(11)
  return Array.from(layers.Dropout({ rate: 0.5 })(ones(), { training: true }).data)
}

test('without a seed the library seed repeats the draws', (t) => {
  t.deepEqual(drawFromLibrarySeed(), drawFromLibrarySeed())
})

test('a layer used twice in one call draws twice', (t) => {
  const dropout = layers.Dropout({ rate: 0.5, seed: 1 })
  class Twice extends layers.Layer {
    override call(x: SymbolicTensor): SymbolicTensor[] {
      return [dropout(x), dropout(x)]
    }
  }
  const [a, b] = new Twice()<Tensor[]>(ones(), { training: true })
  t.notDeepEqual(Array.from((a as Tensor).data), Array.from((b as Tensor).data))
})

test('elements that share a draw live or die together', (t) => {
  const y = layers.Dropout({ rate: 0.5, noiseShape: [null, 1], seed: 5 })(ones(), { training: true })
  const rows = y.toArray() as number[][]
  t.true(rows.every((row) => new Set(row).size === 1))
  t.is(new Set(rows.map((row) => row[0])).size, 2)
  const image = tensor(new Float32Array(2 * 4 * 4 * 64).fill(1), [2, 4, 4, 64])
  const channels = layers.SpatialDropout2D({ rate: 0.5, seed: 5 })(image, { training: true }).data
  t.true(channels.every((value, i) => value === channels[Math.floor(i / 1024) * 1024 + (i % 64)]))
})

test('noise has the standard deviation asked for', (t) => {
  const y = layers.GaussianNoise({ stddev: 0.5, seed: 2 })(ones(), { training: true })
  const average = mean(y)
  const deviation = Math.sqrt(Array.from(y.data).reduce((sum, value) => sum + (value - average) ** 2, 0) / count)
  t.true(Math.abs(average - 1) < 0.01)
  t.true(Math.abs(deviation - 0.5) < 0.01)
})

test('the random state is no weight', (t) => {
  const dropout = layers.Dropout({ rate: 0.5 })
  dropout(ones())
  t.deepEqual(dropout.weights, [])
  t.is(dropout.countParams(), 0)
  t.is(dropout.state.length, 1)
})
