import test from 'ava'
import * as layers from '../../ts/layers/index.ts'
import type { SymbolicTensor } from '../../ts/core/symbolic.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'

const x = tensor([[[0.5, -1], [1, 2], [-0.3, 0.7]], [[1, 1], [0, -2], [0.2, 0.1]]])
const h = tensor([[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
const c = tensor([[1, 0, -1], [0.5, 0.5, 0.5]])

function near(t: { true(value: boolean, message?: string): void }, got: Tensor, expected: Tensor, slack = 1e-6): void {
  t.true(got.data.length === expected.data.length && Array.from(got.data).every((value, i) => Math.abs(value - (expected.data[i] as number)) <= slack))
}

test('the initial state is an option of the call, or part of the list of inputs', (t) => {
  const lstm = layers.LSTM({ units: 3 })
  const option = lstm(x, { initialState: [h, c] })
  near(t, lstm([x, h, c]), option, 0)
  t.notDeepEqual(lstm(x).toArray(), option.toArray())
  const [sequence, first, second] = [layers.Input({ shape: [null, 2] }), layers.Input({ shape: [3] }), layers.Input({ shape: [3] })]
  t.deepEqual([...lstm(sequence, { initialState: [first, second] }).shape], [null, 3])
  t.deepEqual([...lstm([sequence, first, second]).shape], [null, 3])
  t.is(lstm.inboundNodes[0]?.inputs.length, 3)
})

function part(from: number, to: number): Tensor {
  return tensor((x.toArray() as number[][][]).map((row) => row.slice(from, to)))
}

test('the state returned goes on where the first part of a sequence ended', (t) => {
  const lstm = layers.LSTM({ units: 3, returnState: true })
  const [whole] = lstm<Tensor[]>(x)
  const [, firstH, firstC] = lstm<Tensor[]>(part(0, 2)) as [Tensor, Tensor, Tensor]
  const [rest] = lstm<Tensor[]>(part(2, 3), { initialState: [firstH, firstC] })
  near(t, rest as Tensor, whole as Tensor)
})

test('returned states are symbolic tensors too', (t) => {
  const results = layers.LSTM({ units: 3, returnState: true, returnSequences: true })<SymbolicTensor[]>(layers.Input({ shape: [5, 2] }))
  t.deepEqual(results.map(({ shape }) => shape), [[null, 5, 3], [null, 3], [null, 3]])
})

test('step by step or in one op the results are the same', (t) => {
  const native = layers.LSTM({ units: 3, returnSequences: true, goBackwards: true })
  const tanh = layers.Activation({ activation: 'tanh' })
  const composed = layers.LSTM({ units: 3, returnSequences: true, goBackwards: true, activation: (value) => tanh(value) })
  const expected = native(x, { initialState: [h, c] })
  composed.ensureBuilt([2, 3, 2])
  composed.setWeights(native.getWeights())
  near(t, composed(x, { initialState: [h, c] }), expected)
})

test('dropout and recurrentDropout act in training only, and repeat with a seed', (t) => {
  for (const options of [{ dropout: 0.5 }, { recurrentDropout: 0.5 }, { dropout: 0.5, recurrentDropout: 0.5 }]) {
    const config = { units: 3, seed: 4, kernelInitializer: 'ones', recurrentInitializer: 'ones', ...options }
    const [a, b] = [layers.LSTM(config), layers.LSTM(config)]
    const inference = a(x)
    near(t, inference, layers.LSTM({ units: 3, kernelInitializer: 'ones', recurrentInitializer: 'ones' })(x), 0)
    const draws = [1, 2, 3, 4].map(() => a(x, { training: true }).toArray())
    t.deepEqual(draws, [1, 2, 3, 4].map(() => b(x, { training: true }).toArray()))
    t.true(draws.some((draw) => JSON.stringify(draw) !== JSON.stringify(inference.toArray())))
    t.is(a.state.length, 1)
  }
})

test('every input dropped leaves the bias alone', (t) => {
  const lstm = layers.LSTM({ units: 3, dropout: 1 })
  const dropped = lstm(x, { training: true })
  near(t, dropped, lstm(tensor(new Float32Array(12), [2, 3, 2])))
})

test('files keep the weights below the cell', (t) => {
  const lstm = layers.LSTM({ units: 3, name: 'memory' })
  lstm(x)
  t.is(lstm.variablesPath, 'cell')
  t.deepEqual(lstm.weights.map((w) => [w.name, w.path]), [
    ['kernel', 'memory/lstm_cell/kernel'],
    ['recurrent_kernel', 'memory/lstm_cell/recurrent_kernel'],
    ['bias', 'memory/lstm_cell/bias'],
  ])
  t.deepEqual(lstm.weights[2]?.read().toArray(), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
})
