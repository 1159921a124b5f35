import test from 'ava'
import * as api from '../ts/index.ts'
import { Input, Model, Sequential, clearSession, layers, modelFromJSON, ops, optimizers, tensor, type Layer, type Shape, type Tensor } from '../ts/index.ts'
import { golden, relativeError } from './helpers/golden.ts'

interface Behaviour {
  readonly inputs: readonly { case: string; shape: Shape; dtype: string; tensor_name: string; layer_name: string }[]
  readonly automatic_names: { names: readonly { class_name: string; name: string }[]; after_clear_session: string }
}

const recorded = golden<Behaviour>('guides.json')
const ints = (rows: number, columns: number, below: number, seed: number): Tensor =>
  tensor(Int32Array.from({ length: rows * columns }, (_, i) => (i * seed + 3 * (i >> 2)) % below), [rows, columns])

test.serial('row 2: inputs have the shapes, types and names that Keras gives them', (t) => {
  clearSession()
  const made = {
    default: Input({ shape: [784] }),
    int32: Input({ shape: [null], dtype: 'int32', name: 'text' }),
    batch_size: Input({ shape: [10, 5], batchSize: 16 }),
    batch_shape: Input({ batchShape: [16, null, 3] }),
    scalar: Input({ shape: [] }),
  }
  for (const { case: name, shape, dtype } of recorded.inputs) {
    const input = made[name as keyof typeof made]
    t.deepEqual([input.shape, input.dtype], [shape, dtype], name)
  }
})

test.serial('row 17: automatic names are numbered as in Keras, and again from the start after clearSession', (t) => {
  clearSession()
  const options: Readonly<Record<string, unknown>> = {
    Dense: { units: 1 }, Conv2D: { filters: 1, kernelSize: 1 }, LSTM: { units: 1 }, GRU: { units: 1 }, Conv2DTranspose: { filters: 1, kernelSize: 1 },
    Embedding: { inputDim: 2, outputDim: 2 }, Reshape: { targetShape: [1] }, Dropout: { rate: 0.5 }, InputLayer: { shape: [1] }, DepthwiseConv2D: { kernelSize: 1 },
    SeparableConv2D: { filters: 1, kernelSize: 1 },
  }
  const known = api.layers as unknown as Readonly<Record<string, (config?: unknown) => Layer>>
  for (const { class_name: className, name } of recorded.automatic_names.names) {
    if (className === 'MultiHeadAttention') continue // No such layer yet.
    const layer =
      className === 'Sequential' ? Sequential()
      : className === 'Functional' ? functional()
      : className === 'Bidirectional' ? layers.Bidirectional({ layer: layers.LSTM({ units: 1 }) })
      : known[className]?.(options[className] ?? {})
    t.is(layer?.name, name, className)
  }
  clearSession()
  t.is(layers.Dense({ units: 1 }).name, recorded.automatic_names.after_clear_session)
})

function functional(): Model {
  const x = Input({ shape: [2] })
  return Model({ inputs: x, outputs: ops.add(x, 1) })
}

test('row 7: the gradient of a shared weight is the sum over both paths', async (t) => {
  const [a, b] = [Input({ shape: [3], dtype: 'int32' }), Input({ shape: [3], dtype: 'int32' })]
  const embedding = layers.Embedding({ inputDim: 6, outputDim: 2 })
  const sum = layers.Add()([layers.Flatten()(embedding(a)), layers.Flatten()(embedding(b))])
  const model = Model({ inputs: [a, b], outputs: layers.Dense({ units: 1, activation: 'tanh' })(sum) })
  model.compile({ optimizer: optimizers.SGD({ learningRate: 1 }), loss: 'mse' })
  const [x, y] = [[ints(4, 3, 6, 5), ints(4, 3, 6, 7)], tensor([[0.3], [-0.4], [0.1], [0.9]])]
  const weights = model.getWeights()
  const [embeddings, ...others] = weights as [Tensor, ...Tensor[]]
  const lossAt = async (i: number, step: number): Promise<number> => {
    const data = Float32Array.from(embeddings.data)
    data[i] = (data[i] as number) + step
    model.setWeights([tensor(data, embeddings.shape), ...others])
    return (await model.testOnBatch(x, y))['loss'] as number
  }
  const numeric: number[] = []
  for (let i = 0; i < embeddings.size; i++) numeric.push(((await lossAt(i, 0.01)) - (await lossAt(i, -0.01))) / 0.02)
  model.setWeights(weights)
  await model.trainOnBatch(x, y)
  const after = (model.getWeights()[0] as Tensor).data
  const analytic = Array.from(embeddings.data, (value, i) => value - (after[i] as number))
  t.true(relativeError(analytic, numeric) < 5e-3, `${relativeError(analytic, numeric)}`)
})

test('row 8: a cosine of two encodings by one encoder is symmetric and what the formula says', async (t) => {
  const [a, b] = [Input({ shape: [null], dtype: 'int32' }), Input({ shape: [null], dtype: 'int32' })]
  const embedding = layers.Embedding({ inputDim: 20, outputDim: 4 })
  const lstm = layers.LSTM({ units: 5 })
  const [left, right] = [lstm(embedding(a)), lstm(embedding(b))]
  const model = Model({ inputs: [a, b], outputs: layers.Dot({ axes: 1, normalize: true })([left, right]) })
  const encoder = Model({ inputs: [a, b], outputs: [left, right] })
  const [x, y] = [ints(6, 7, 20, 3), ints(6, 7, 20, 11)]
  const score = await model.predict([x, y])
  t.deepEqual([...(await model.predict([y, x])).data], [...score.data])
  const [p, q] = (await encoder.predict([x, y])) as unknown as [Tensor, Tensor]
  const cosine = Array.from({ length: 6 }, (_, row) => {
    const [u, v] = [p, q].map((z) => [...z.data.subarray(row * 5, row * 5 + 5)]) as [number[], number[]]
    const dot = (r: number[], s: number[]): number => r.reduce((n, value, i) => n + value * (s[i] as number), 0)
    return dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v))
  })
  t.true(cosine.every((value, i) => Math.abs(value - (score.data[i] as number)) < 1e-6))
})

test('row 21: training an autoencoder changes what its encoder predicts', async (t) => {
  const input = Input({ shape: [6] })
  const code = layers.Dense({ units: 2, activation: 'tanh' })(input)
  const encoder = Model({ inputs: input, outputs: code })
  const autoencoder = Model({ inputs: input, outputs: layers.Dense({ units: 6 })(code) })
  const x = tensor(Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), [10, 6])
  const before = [...(await encoder.predict(x)).data]
  autoencoder.compile({ optimizer: 'adam', loss: 'mse' })
  await autoencoder.fit(x, x, { verbose: 0 })
  t.notDeepEqual([...(await encoder.predict(x)).data], before)
})

test('row 23: an ensemble is the mean of its members', async (t) => {
  const members = [0, 1, 2].map(() => {
    const inputs = Input({ shape: [8] })
    return Model({ inputs, outputs: layers.Dense({ units: 1 })(inputs) })
  })
  const inputs = Input({ shape: [8] })
  const ensemble = Model({ inputs, outputs: layers.Average()(members.map((model) => model(inputs))) })
  const x = tensor(Float32Array.from({ length: 40 }, (_, i) => Math.cos(i)), [5, 8])
  const each = await Promise.all(members.map((model) => model.predict(x)))
  const mean = Array.from({ length: 5 }, (_, i) => each.reduce((n, y) => n + (y.data[i] as number), 0) / 3)
  t.true(relativeError((await ensemble.predict(x)).data, mean) < 1e-6)
})

test("row 25: a residual network trains, and 'acc' keeps its name", async (t) => {
  const image = Input({ shape: [8, 8, 3] })
  const start = layers.Conv2D({ filters: 8, kernelSize: 3, activation: 'relu' })(image)
  const inside = layers.Conv2D({ filters: 8, kernelSize: 3, activation: 'relu', padding: 'same' })(start)
  const x = layers.GlobalAveragePooling2D()(layers.Add()([inside, start]))
  const model = Model({ inputs: image, outputs: layers.Dense({ units: 2 })(layers.Dropout({ rate: 0.1 })(x)) })
  model.compile({ optimizer: optimizers.RMSprop({ learningRate: 0.01 }), loss: new api.losses.SparseCategoricalCrossentropy({ fromLogits: true }), metrics: ['acc'] })
  const count = 64
  const data = tensor(Float32Array.from({ length: count * 192 }, (_, i) => (Math.floor(i / 192) % 2) + Math.sin(i)), [count, 8, 8, 3])
  const { history } = await model.fit(data, Int32Array.from({ length: count }, (_, i) => i % 2), { epochs: 8, batchSize: 16, verbose: 0 })
  t.deepEqual(Object.keys(history), ['acc', 'loss'])
  t.true((history['loss']?.at(-1) as number) < (history['loss']?.[0] as number) / 2)
})

test('row 26: an embedding called twice is one layer in files', (t) => {
  const [a, b] = [Input({ shape: [null], dtype: 'int32' }), Input({ shape: [null], dtype: 'int32' })]
  const embedding = layers.Embedding({ inputDim: 1000, outputDim: 128 })
  const again = modelFromJSON(Model({ inputs: [a, b], outputs: [embedding(a), embedding(b)] }).toJSON())
  t.is(again.countParams(), 128_000)
  t.is(again.layers.find((layer) => layer.className === 'Embedding')?.inboundNodes.length, 2)
})
