import test from 'ava'
import { flatten, type Structure } from '../../ts/core/tree.ts'
import * as layers from '../../ts/layers/index.ts'
import type { Layer } from '../../ts/layers/layer.ts'
import { SymbolicTensor } from '../../ts/core/symbolic.ts'
import { tensor, type NestedArray, type Tensor } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'

/** Calls layers one after the other in one graph; gives the last result and its mask. */
function chain(input: Tensor, ...stack: readonly Layer[]): { result: NestedArray; mask: NestedArray | undefined } {
  const trace = new Trace('chain')
  return trace.within(() => {
    let x: SymbolicTensor = trace.input(input.shape, input.dtype)
    for (const layer of stack) x = flatten(layer.invoke([x], {}) as Structure<SymbolicTensor>)[0] as SymbolicTensor
    const [result, mask] = trace.compile(x.mask ? [x, x.mask] : [x]).runSync([input])
    return { result: (result as Tensor).toArray(), mask: mask?.toArray() }
  })
}

const ids = tensor([[3, 1, 0, 0], [2, 0, 4, 0]])

test('an embedding says which steps count', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  t.deepEqual(chain(ids, embedding).mask, [[true, true, false, false], [true, false, true, false]])
  t.is(chain(ids, layers.Embedding({ inputDim: 5, outputDim: 2 })).mask, undefined)
})

test('an LSTM passes over masked steps', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  const lstm = layers.LSTM({ units: 3 })
  const { result, mask } = chain(ids, embedding, lstm)
  t.is(mask, undefined)
  const short = chain(tensor([[3, 1]]), embedding, lstm).result as number[][]
  t.deepEqual((result as number[][])[0], short[0])
  const dense = chain(tensor([[2, 4]]), embedding, lstm).result as number[][]
  t.deepEqual((result as number[][])[1], dense[0])
})

test('sequences keep the mask and repeat the output before', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  const { result, mask } = chain(ids, embedding, layers.LSTM({ units: 3, returnSequences: true }))
  const rows = result as number[][][]
  t.deepEqual(rows[0]?.[2], rows[0]?.[1])
  t.deepEqual(rows[0]?.[3], rows[0]?.[1])
  t.deepEqual(mask, [[true, true, false, false], [true, false, true, false]])
})

test('the composed LSTM heeds masks as the native one does', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  const native = layers.LSTM({ units: 3, returnSequences: true })
  const composed = layers.LSTM({ units: 3, returnSequences: true, activation: (x) => layers.Activation({ activation: 'tanh' })(x) })
  const expected = chain(ids, embedding, native).result as number[][][]
  composed.ensureBuilt([2, 4, 2])
  composed.setWeights(native.getWeights())
  const got = chain(ids, embedding, composed).result as number[][][]
  expected.flat(2).forEach((value, i) => t.true(Math.abs(value - (got.flat(2)[i] as number)) < 1e-6))
})

test('masks pass through element-wise layers and end where steps are mixed', (t) => {
  const embedding = layers.Embedding({ inputDim: 5, outputDim: 2, maskZero: true })
  const mask = [[true, true, false, false], [true, false, true, false]]
  const passing = [layers.Dense({ units: 2 }), layers.Dropout({ rate: 0.5 }), layers.Activation({ activation: 'relu' }), layers.ReLU(), layers.BatchNormalization(), layers.LayerNormalization(), layers.Identity()]
  for (const layer of passing) t.deepEqual(chain(ids, embedding, layer).mask, mask, layer.name)
  const ending = [layers.Flatten(), layers.Reshape({ targetShape: [8] }), layers.GlobalMaxPooling1D(), layers.GlobalAveragePooling1D(), layers.Permute({ dims: [2, 1] })]
  for (const layer of ending) t.is(chain(ids, embedding, layer).mask, undefined, layer.name)
})

test('masking leaves out steps whose features all have the value', (t) => {
  const x = tensor([[[1, 0], [0, 0], [2, 3]]])
  const { result, mask } = chain(x, layers.Masking())
  t.deepEqual(result, [[[1, 0], [0, 0], [2, 3]]])
  t.deepEqual(mask, [[true, false, true]])
  t.deepEqual(chain(tensor([[[5, 5], [5, 1]]]), layers.Masking({ maskValue: 5 })).result, [[[0, 0], [5, 1]]])
})

test('the mean over steps counts only those that the mask leaves', (t) => {
  const x = tensor([[[1, 2], [3, 4], [5, 6]]])
  t.deepEqual(layers.GlobalAveragePooling1D()(x).toArray(), [[3, 4]])
  t.deepEqual(layers.GlobalAveragePooling1D()(x, { mask: tensor([[true, true, false]]) }).toArray(), [[2, 3]])
  t.deepEqual(layers.GlobalAveragePooling1D({ keepdims: true })(x, { mask: [[true, true, false]] }).toArray(), [[[2, 3]]])
})

test('merging layers combine masks', (t) => {
  const [a, b] = [tensor([[[1], [2], [3]]]), tensor([[[10], [20], [30]]])]
  const masks = { mask: [tensor([[true, true, false]]), tensor([[true, false, false]])] }
  t.deepEqual(layers.Multiply()([a, b], masks).toArray(), [[[10], [2], [0]]])
  t.deepEqual(layers.Maximum()([a, b], masks).toArray(), [[[10], [2], [3]]])
  t.deepEqual(layers.Minimum()([a, b], { mask: [null, tensor([[true, false, false]])] }).toArray(), [[[1], [2], [3]]])
})
