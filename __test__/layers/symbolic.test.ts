import test from 'ava'
import { clearSession } from '../../ts/core/names.ts'
import { SymbolicTensor } from '../../ts/core/symbolic.ts'
import * as layers from '../../ts/layers/index.ts'

const { Input } = layers

test('Input describes what comes in', (t) => {
  clearSession()
  const x = Input({ shape: [28, null, 1] })
  t.true(x instanceof SymbolicTensor)
  t.deepEqual([...x.shape], [null, 28, null, 1])
  t.is(x.dtype, 'float32')
  t.is(x.name, 'input_layer')
  t.is(Input({ shape: [] }).name, 'input_layer_1')
  t.deepEqual([...Input({ shape: [3], batchSize: 2, dtype: 'int32', name: 'ids' }).shape], [2, 3])
  t.deepEqual([...Input({ batchShape: [4, 5] }).shape], [4, 5])
})

test('Input says which option is wrong', (t) => {
  t.throws(() => Input(null as never), { message: 'Input: expected an object of options, received null' })
  t.throws(() => Input({} as never), { message: /either 'shape' .* or 'batchShape'/ })
  t.throws(() => Input({ shape: [-1] }), { message: /'shape' must be an array of integers >= 0 or null. Received: \[-1\]/ })
  t.throws(() => Input({ shape: [1], batchShape: [1, 1] }), { message: /either 'shape'/ })
  t.throws(() => Input({ shape: [1], dtype: 'float64' as never }), { message: /'dtype' must be one of .*Received: 'float64'/ })
  t.throws(() => Input({ shape: [1], sparse: true } as never), { message: /unknown option 'sparse'/ })
  t.throws(() => Input({ shape: [1], name: 'a/b' }), { message: /'name' must be/ })
})

const shapes: readonly [string, (x: SymbolicTensor) => SymbolicTensor, (number | null)[], (number | null)[]][] = [
  ['Dense', (x) => layers.Dense({ units: 5 })(x), [7], [null, 5]],
  ['Dense on rank 4', (x) => layers.Dense({ units: 5 })(x), [null, null, 7], [null, null, null, 5]],
  ['Conv2D', (x) => layers.Conv2D({ filters: 4, kernelSize: 3 })(x), [28, 28, 1], [null, 26, 26, 4]],
  ['Conv2D of unknown extents', (x) => layers.Conv2D({ filters: 4, kernelSize: 3, padding: 'same', strides: 2 })(x), [null, null, 3], [null, null, null, 4]],
  ['MaxPooling2D', (x) => layers.MaxPooling2D({ poolSize: 3 })(x), [26, 25, 4], [null, 8, 8, 4]],
  ['AveragePooling2D same', (x) => layers.AveragePooling2D({ padding: 'same' })(x), [5, 5, 4], [null, 3, 3, 4]],
  ['GlobalAveragePooling2D', (x) => layers.GlobalAveragePooling2D()(x), [null, null, 4], [null, 4]],
  ['GlobalMaxPooling2D keepdims', (x) => layers.GlobalMaxPooling2D({ keepdims: true })(x), [null, null, 4], [null, 1, 1, 4]],
  ['GlobalAveragePooling1D', (x) => layers.GlobalAveragePooling1D()(x), [null, 4], [null, 4]],
  ['GlobalMaxPooling1D', (x) => layers.GlobalMaxPooling1D()(x), [null, 4], [null, 4]],
  ['Flatten', (x) => layers.Flatten()(x), [3, 4, 5], [null, 60]],
  ['Flatten of rank 1', (x) => layers.Flatten()(x), [], [null, 1]],
  ['Flatten of unknown extents', (x) => layers.Flatten()(x), [null, 4], [null, null]],
  ['Reshape', (x) => layers.Reshape({ targetShape: [2, -1] })(x), [12], [null, 2, 6]],
  ['BatchNormalization', (x) => layers.BatchNormalization()(x), [null, 4], [null, null, 4]],
  ['LayerNormalization', (x) => layers.LayerNormalization()(x), [null, 4], [null, null, 4]],
  ['Dropout', (x) => layers.Dropout({ rate: 0.5 })(x), [null, 4], [null, null, 4]],
  ['LSTM', (x) => layers.LSTM({ units: 6 })(x), [null, 4], [null, 6]],
  ['LSTM sequences', (x) => layers.LSTM({ units: 6, returnSequences: true })(x), [null, 4], [null, null, 6]],
  ['LSTM of another activation', (x) => layers.LSTM({ units: 6, activation: 'relu', returnSequences: true })(x), [3, 4], [null, 3, 6]],
  ['ZeroPadding2D', (x) => layers.ZeroPadding2D({ padding: [[1, 2], [3, 4]] })(x), [5, null, 2], [null, 8, null, 2]],
  ['UpSampling2D', (x) => layers.UpSampling2D({ size: [2, 3] })(x), [5, 4, 2], [null, 10, 12, 2]],
  ['UpSampling2D of unknown extents', (x) => layers.UpSampling2D()(x), [null, null, 2], [null, null, null, 2]],
  ['Permute', (x) => layers.Permute({ dims: [2, 1] })(x), [null, 4], [null, 4, null]],
  ['RepeatVector', (x) => layers.RepeatVector({ n: 3 })(x), [4], [null, 3, 4]],
  ['DepthwiseConv2D', (x) => layers.DepthwiseConv2D({ kernelSize: 3, depthMultiplier: 2 })(x), [8, 8, 3], [null, 6, 6, 6]],
  ['SeparableConv2D', (x) => layers.SeparableConv2D({ filters: 5, kernelSize: 3 })(x), [8, 8, 3], [null, 6, 6, 5]],
]
for (const [name, call, input, expected] of shapes) {
  test(`shape of ${name}`, (t) => {
    t.deepEqual([...call(Input({ shape: input })).shape], expected)
  })
}

test('merging layers broadcast and raise ranks', (t) => {
  const [a, b] = [Input({ shape: [3, 4] }), Input({ shape: [4] })]
  t.deepEqual([...layers.Add()([a, b]).shape], [null, 3, 4])
  t.deepEqual([...layers.Concatenate({ axis: 1 })([a, Input({ shape: [null, 4] })]).shape], [null, null, 4])
  t.deepEqual([...layers.Dot({ axes: 1 })([b, b]).shape], [null, 1])
  t.deepEqual([...layers.Dot({ axes: 2 })([a, Input({ shape: [5, 4] })]).shape], [null, 3, 5])
  t.deepEqual([...layers.Embedding({ inputDim: 10, outputDim: 4 })(Input({ shape: [null], dtype: 'int32' })).shape], [null, null, 4])
})

test('a layer called twice keeps its weights and numbers its results', (t) => {
  clearSession()
  const dense = layers.Dense({ units: 2 })
  const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
  const [first, second] = [dense(a), dense(b)]
  t.is(dense.inboundNodes.length, 2)
  t.is(dense.input, a)
  t.is(dense.output, first)
  t.not(first, second)
  t.is(dense.weights.length, 2)
  t.is(dense.countParams(), 8)
})

test('with and without new', (t) => {
  const plain = layers.Dense({ units: 2 })
  const made = new layers.Dense({ units: 2 })
  t.true(plain instanceof layers.Dense)
  t.true(made instanceof layers.Dense)
  t.true(made instanceof layers.Layer)
  t.is(typeof plain, 'function')
  t.deepEqual([...made(Input({ shape: [3] })).shape], [null, 2])
})
