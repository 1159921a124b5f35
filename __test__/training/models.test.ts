import test from 'ava'
import {
  Input,
  layers,
  Model,
  optimizers,
  Sequential,
  tensor,
  type Structure,
  type SymbolicTensor,
  type Tensor,
} from '../../ts/index.ts'

class Twins extends Model {
  first = layers.Dense({ units: 4, activation: 'relu', kernelInitializer: 'ones' })
  second = layers.Dense({ units: 1, kernelInitializer: 'ones' })

  override call(inputs: Structure<SymbolicTensor>): Structure<SymbolicTensor> {
    const { a, b } = inputs as { a: SymbolicTensor; b: SymbolicTensor }
    const hidden = this.first(layers.Add()([a, b]))
    return { sum: this.second(hidden), hidden }
  }
}

test('a subclassed model takes its structure from the data', async (t) => {
  const model = new Twins()
  model.compile({
    optimizer: optimizers.SGD({ learningRate: 0.01 }),
    loss: { sum: 'mse', hidden: null },
    metrics: { sum: ['mae'] },
  })
  const x = {
    a: [
      [1, 2],
      [3, 4],
    ],
    b: [
      [0, 0],
      [1, 1],
    ],
  }
  const { history } = await model.fit(x, { sum: [[1], [2]] }, { epochs: 4, verbose: 0, shuffle: false })
  t.deepEqual(Object.keys(history), ['loss', 'sum_mae'])
  t.true((history['loss']?.[3] as number) < (history['loss']?.[0] as number))
  const outputs = (await model.predict(x)) as unknown as { sum: Tensor; hidden: Tensor }
  t.deepEqual([...outputs.sum.shape, ...outputs.hidden.shape], [2, 1, 2, 4])
})

test('a mistake in the options of a subclassed model comes with the first data', async (t) => {
  const model = new Twins()
  model.compile({ loss: { sums: 'mse', hidden: null } })
  await t.throwsAsync(model.fit({ a: [[1, 2]], b: [[1, 2]] }, { sums: [1] }, { verbose: 0 }), {
    code: 'CONFIG',
    message: /expected the keys \['sum', 'hidden'\] in 'loss', received \['sums', 'hidden'\]/,
  })
})

test('a batch without samples leaves moving averages and weights as they are', async (t) => {
  const x = Input({ shape: [3] })
  const model = Model({ inputs: x, outputs: layers.Dense({ units: 1 })(layers.BatchNormalization()(x)) })
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const before = model.getWeights().map((w: Tensor) => [...w.data])
  const logs = await model.trainOnBatch(tensor([], [0, 3]), tensor([], [0, 1]))
  t.deepEqual(logs, { loss: 0 })
  t.deepEqual(
    model.getWeights().map((w: Tensor) => [...w.data]),
    before,
  )
})

test('masked steps count neither in the loss nor in metrics, training or measuring', async (t) => {
  const ids = Input({ shape: [3], dtype: 'int32' })
  const embedded = layers.Embedding({ inputDim: 4, outputDim: 2, maskZero: true, embeddingsInitializer: 'ones' })(ids)
  const model = Model({ inputs: ids, outputs: layers.Dense({ units: 1, kernelInitializer: 'ones' })(embedded) })
  model.compile({
    optimizer: optimizers.SGD({ learningRate: 0 }),
    loss: 'mse',
    metrics: ['mae'],
    weightedMetrics: ['mse'],
  })
  const x = [
    [1, 2, 0],
    [1, 0, 0],
  ]
  const y = [
    [[1], [2], [100]],
    [[3], [100], [100]],
  ]
  // Keras 3.15.1 evaluates this model to 2/3 three times.
  const expected = { loss: Math.fround(2 / 3), mae: Math.fround(2 / 3), mse: Math.fround(2 / 3) }
  t.deepEqual(await model.evaluate(x, y, { verbose: 0 }), expected)
  t.deepEqual(await model.trainOnBatch(x, y), expected)
})

test('sequences of any length share one program', async (t) => {
  const x = Input({ shape: [null, 2] })
  const model = Model({ inputs: x, outputs: layers.Dense({ units: 1, kernelInitializer: 'ones' })(x) })
  model.compile({ optimizer: optimizers.SGD({ learningRate: 0 }), loss: 'mse' })
  const batch = (steps: number): [Tensor, Tensor] => [
    tensor(new Float32Array(4 * steps), [2, steps, 2]),
    tensor(new Float32Array(2 * steps).fill(steps), [2, steps, 1]),
  ]
  const seen: number[] = []
  await model.fit(() => [batch(2), batch(3), batch(5)], {
    verbose: 0,
    callbacks: { onTrainBatchEnd: (_, { loss }) => void seen.push(loss as number) },
  })
  t.deepEqual(seen, [4, 6.5, Math.fround(38 / 3)])
})

test('one layer in two models is trained by both', async (t) => {
  const [x, shared] = [Input({ shape: [1] }), layers.Dense({ units: 1, useBias: false, kernelInitializer: 'ones' })]
  const [a, b] = [Model({ inputs: x, outputs: shared(x) }), Model({ inputs: x, outputs: shared(shared(x)) })]
  for (const model of [a, b]) model.compile({ optimizer: optimizers.SGD({ learningRate: 0.1 }), loss: 'mae' })
  await a.fit([1], [0], { verbose: 0 })
  t.is((await b.predict([1])).item(), Math.fround(Math.fround(0.9) * Math.fround(0.9)))
  await b.fit([1], [0], { verbose: 0 })
  t.true(Math.abs((await a.predict([1])).item() - (0.9 - 0.18)) < 1e-6)
})

test('a stack that is built by its first batch trains, and can grow afterwards', async (t) => {
  const model = Sequential([layers.Dense({ units: 3 }), layers.Dense({ units: 1 })])
  model.compile({ loss: 'mse', metrics: ['mae'] })
  const x = [
    [1, 2],
    [3, 4],
  ]
  const { history } = await model.fit(x, [1, 2], { epochs: 2, verbose: 0 })
  t.deepEqual(Object.keys(history), ['loss', 'mae'])
  t.deepEqual([...(await model.predict(x)).shape], [2, 1])
})

test('a stack that grows forgets what it was', async (t) => {
  const model = Sequential([Input({ shape: [2] }), layers.Dense({ units: 3 })])
  model.compile({ loss: 'mse' })
  const x = [[1, 2]]
  t.deepEqual([...(await model.predict(x)).shape], [1, 3])
  await model.fit(x, [[1, 2, 3]], { verbose: 0 })
  model.add(layers.Dense({ units: 2 }))
  t.deepEqual([...(await model.predict(x)).shape], [1, 2])
  await t.notThrowsAsync(model.fit(x, [[1, 2]], { verbose: 0 }))
})
