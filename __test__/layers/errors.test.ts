import test from 'ava'
import { ConfigError, DataError, ShapeError } from '../../ts/core/errors.ts'
import * as layers from '../../ts/layers/index.ts'
import { tensor } from '../../ts/native/tensor.ts'

const { Input } = layers

const options: readonly [string, () => unknown, RegExp][] = [
  ['an unknown option with a hint', () => layers.Dense({ units: 2, use_bias: false } as never), /^Dense 'dense.*': unknown option 'use_bias'; did you mean 'useBias'\?$/],
  ['an unknown option', () => layers.Dense({ units: 2, size: 3 } as never), /unknown option 'size'; expected one of units, activation/],
  ['a missing option', () => layers.Dense({} as never), /option 'units' is required/],
  ['a fraction', () => layers.Dense({ units: 2.5 }), /'units' must be an integer >= 1. Received: 2.5/],
  ['a string for a number', () => layers.Dense({ units: '2' as never }), /'units' must be an integer >= 1. Received: '2'/],
  ['an unknown activation', () => layers.Dense({ units: 2, activation: 'rleu' }), /'activation' must be an activation: a name \(.*relu.*Received: 'rleu'/],
  ['an unknown initializer', () => layers.Dense({ units: 2, kernelInitializer: 'xavier' }), /'kernelInitializer' must be an initializer: a name \(.*glorot_uniform.*Received: 'xavier'/],
  ['an unknown regularizer', () => layers.Dense({ units: 2, kernelRegularizer: 'l3' }), /'kernelRegularizer' must be a regularizer: a name .*Received: 'l3'/],
  ['another type than float32', () => layers.Dense({ units: 2, dtype: 'float16' }), /'dtype' must be 'float32'.*Received: 'float16'/],
  ['trainable that is no boolean', () => layers.Dense({ units: 2, trainable: 1 as never }), /'trainable' must be true or false/],
  ['a name with a slash', () => layers.Dense({ units: 2, name: 'a/b' }), /'name' must be a string/],
  ['strides with dilation', () => layers.Conv2D({ filters: 1, kernelSize: 3, strides: 2, dilationRate: 2, name: 'c' }), /^Conv2D 'c': 'strides' above 1 and 'dilationRate' above 1/],
  ['channels first', () => layers.Conv2D({ filters: 1, kernelSize: 3, dataFormat: 'channels_first' as never }), /'dataFormat' must be 'channels_last'.*Received: 'channels_first'/],
  ['filters that groups do not share', () => layers.Conv2D({ filters: 3, kernelSize: 1, groups: 2 }), /'filters' must be a multiple of 'groups' \(2\). Received: 3/],
  ['unknown padding', () => layers.Conv2D({ filters: 3, kernelSize: 1, padding: 'full' as never }), /'padding' must be one of 'valid', 'same'. Received: 'full'/],
  ['a rate above 1', () => layers.Dropout({ rate: 1.5 }), /'rate' must be a finite number in 0..1. Received: 1.5/],
  ['stateful', () => layers.LSTM({ units: 2, stateful: true }), /'stateful' is not supported yet/],
  ['dims that are no permutation', () => layers.Permute({ dims: [1, 3] }), /'dims' must be the numbers 1 to 2 in any order/],
  ['options that are no object', () => layers.Dense(5 as never), /expected an object of options, received 5/],
]
for (const [name, make, message] of options) {
  test(`options: ${name}`, (t) => {
    t.throws(make, { instanceOf: ConfigError, message })
  })
}

const calls: readonly [string, () => unknown, RegExp][] = [
  ['the rank', () => layers.Conv2D({ filters: 1, kernelSize: 3, name: 'c' })(Input({ shape: [28, 28], name: 'image' })), /^Conv2D 'c': expected rank 4, received \[null, 28, 28\] \(from 'image'\)$/],
  ['the least rank', () => layers.Dense({ units: 1, name: 'd' })(Input({ shape: [], name: 'flat' })), /^Dense 'd': expected rank 2 or more, received \[null\]/],
  ['an extent that must be known', () => layers.Dense({ units: 1 })(Input({ shape: [null] })), /expected a known last extent, received \[null, null\]/],
  ['one tensor', () => layers.Dense({ units: 1 })([Input({ shape: [1] }), Input({ shape: [1] })]), /expected one tensor, received a structure of 2/],
  ['an array', () => layers.Add({ name: 'sum' })(Input({ shape: [1] })), /^Add 'sum': expected an array of tensors, received one tensor/],
  ['two tensors', () => layers.Subtract()([Input({ shape: [1] })]), /expected 2 tensors, received 1/],
  ['rows that fit', () => layers.Reshape({ targetShape: [5, 2] })(Input({ shape: [12] })), /expected rows that fit the target shape \[5, 2\], received \[null, 12\]/],
  ['rows that fit -1', () => layers.Reshape({ targetShape: [5, -1] })(Input({ shape: [12] })), /expected rows that fit the target shape \[5, -1\]/],
  ['channels for groups', () => layers.Conv2D({ filters: 2, kernelSize: 1, groups: 2 })(Input({ shape: [4, 4, 3] })), /expected channels that 2 groups share evenly, received \[null, 4, 4, 3\]/],
  ['steps to unroll', () => layers.LSTM({ units: 2, activation: 'relu' })(Input({ shape: [null, 3] })), /expected a known number of steps, received \[null, null, 3\]/],
  ['an initial state', () => layers.LSTM({ units: 2 })(Input({ shape: [3, 3] }), { initialState: [Input({ shape: [2] })] }), /expected an initial state of two tensors \[batch, 2\], received 1/],
]
for (const [name, call, message] of calls) {
  test(`a call says that it expects ${name}`, (t) => {
    t.throws(call, { instanceOf: ShapeError, message })
  })
}

test('a second input of another extent is refused by name', (t) => {
  const dense = layers.Dense({ units: 2, name: 'priority' })
  dense(Input({ shape: [64] }))
  t.throws(() => dense(Input({ shape: [32], name: 'features' })), {
    instanceOf: ShapeError,
    message: "Dense 'priority': expected last extent 64, received [null, 32] (from 'features')",
  })
})

test('kernels beyond the image and unequal extents are refused where they are written', (t) => {
  t.throws(() => layers.Conv2D({ filters: 1, kernelSize: 5, name: 'c' })(Input({ shape: [3, 3, 1] })), { instanceOf: ShapeError, message: /^Conv2D 'c': / })
  t.throws(() => layers.Concatenate({ name: 'both' })([Input({ shape: [2, 3] }), Input({ shape: [4, 3] })]), { instanceOf: ShapeError, message: /^Concatenate 'both': / })
  t.throws(() => layers.Add({ name: 'sum' })([Input({ shape: [2] }), Input({ shape: [3] })]), { instanceOf: ShapeError, message: /^Add 'sum': / })
})

test('a call on data names its layer too', (t) => {
  const conv = layers.Conv2D({ filters: 1, kernelSize: 3, name: 'c' })
  t.throws(() => conv(tensor([[1, 2]])), { instanceOf: ShapeError, message: "Conv2D 'c': expected rank 4, received [1, 2]" })
})

test('an index without a row fails the run', (t) => {
  const embedding = layers.Embedding({ inputDim: 3, outputDim: 2 })
  t.throws(() => embedding(tensor([[0, 3]])), { instanceOf: DataError, message: /3/ })
  t.throws(() => embedding(tensor([[-1, 0]])), { instanceOf: DataError, message: /-1/ })
})

test('weights are set all or none', (t) => {
  const dense = layers.Dense({ units: 2 })
  dense(tensor([[1, 2, 3]]))
  const before = dense.getWeights().map((w) => w.toArray())
  t.throws(() => dense.setWeights([tensor([[1, 1], [1, 1], [1, 1]])]), { instanceOf: ShapeError, message: /has 2 weights, received 1/ })
  t.throws(() => dense.setWeights([tensor([[1, 1], [1, 1], [1, 1]]), tensor([1, 2, 3])]), { instanceOf: ShapeError, message: /bias' expected float32\[2\], received float32\[3\]/ })
  t.deepEqual(
    dense.getWeights().map((w) => w.toArray()),
    before,
  )
})
