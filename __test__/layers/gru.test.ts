import test from 'ava'
import * as layers from '../../ts/layers/index.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'

const x = tensor([[[0.5, -1], [1, 2], [-0.3, 0.7]], [[1, 1], [0, -2], [0.2, 0.1]]])
const h = tensor([[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
const mask = tensor([[true, false, true], [true, true, false]], undefined, 'bool')

function near(t: { true(value: boolean, message?: string): void }, got: Tensor, expected: Tensor, slack = 1e-6): void {
  t.true(got.data.length === expected.data.length && Array.from(got.data).every((value, i) => Math.abs(value - (expected.data[i] as number)) <= slack))
}

test('the initial state is an option of the call, or part of the list of inputs', (t) => {
  const gru = layers.GRU({ units: 3 })
  const option = gru(x, { initialState: [h] })
  near(t, gru([x, h]), option, 0)
  near(t, gru(x, { initialState: h }), option, 0)
  t.notDeepEqual(gru(x).toArray(), option.toArray())
  t.deepEqual([...gru(layers.Input({ shape: [null, 2] }), { initialState: [layers.Input({ shape: [3] })] }).shape], [null, 3])
  t.throws(() => gru(x, { initialState: [h, h] }), { message: /an initial state of one tensor \[batch, 3\], received 2/ })
})

test('step by step or in one op the results are the same', (t) => {
  for (const resetAfter of [true, false]) {
    const options = { units: 3, returnSequences: true, goBackwards: true, resetAfter, biasInitializer: 'random_normal' } as const
    const native = layers.GRU(options)
    const tanh = layers.Activation({ activation: 'tanh' })
    const composed = layers.GRU({ ...options, activation: (value) => tanh(value) })
    const expected = native(x, { initialState: [h], mask })
    composed.ensureBuilt([2, 3, 2])
    composed.setWeights(native.getWeights())
    near(t, composed(x, { initialState: [h], mask }), expected)
  }
})

test('outputs of masked steps repeat, or are 0 while the state still passes', (t) => {
  for (const type of [layers.GRU, layers.LSTM]) {
    const repeats = type({ units: 3, returnSequences: true, seed: 1 })
    const zeros = type({ units: 3, returnSequences: true, zeroOutputForMask: true })
    const expected = repeats(x, { mask }).toArray() as number[][][]
    zeros.ensureBuilt([2, 3, 2])
    zeros.setWeights(repeats.getWeights())
    t.deepEqual(expected[0]?.[1], expected[0]?.[0])
    expected[0]?.splice(1, 1, [0, 0, 0])
    expected[1]?.splice(2, 1, [0, 0, 0])
    t.deepEqual(zeros(x, { mask }).toArray(), expected)
    const last = type({ units: 3, zeroOutputForMask: true, returnState: true })
    last.ensureBuilt([2, 3, 2])
    last.setWeights(repeats.getWeights())
    const [output, state] = last<Tensor[]>(x, { mask }) as [Tensor, Tensor]
    t.deepEqual((output.toArray() as number[][])[1], [0, 0, 0])
    t.deepEqual((state.toArray() as number[][])[1], (repeats(x, { mask }).toArray() as number[][][])[1]?.[1])
  }
})

test('dropout and recurrentDropout act in training only, and repeat with a seed', (t) => {
  for (const options of [{ dropout: 0.5 }, { recurrentDropout: 0.5 }, { recurrentDropout: 0.5, resetAfter: false }]) {
    const config = { units: 3, seed: 4, kernelInitializer: 'ones', recurrentInitializer: 'ones', ...options }
    const [a, b] = [layers.GRU(config), layers.GRU(config)]
    const inference = a(x)
    near(t, inference, layers.GRU({ ...config, dropout: 0, recurrentDropout: 0 })(x), 0)
    const draws = [1, 2, 3, 4].map(() => a(x, { training: true }).toArray())
    t.deepEqual(draws, [1, 2, 3, 4].map(() => b(x, { training: true }).toArray()))
    t.true(draws.some((draw) => JSON.stringify(draw) !== JSON.stringify(inference.toArray())))
  }
})

test('an unknown number of steps needs tanh and sigmoid', (t) => {
  t.throws(() => layers.GRU({ units: 3, activation: 'relu' })(layers.Input({ shape: [null, 2] })), { message: /expected a known number of steps/ })
})
