import test from 'ava'
import { Input, Model, layers, setRandomSeed, setThreads, settings, tensor, type Tensor } from '../ts/index.ts'

const serial = test.serial
const random = (rows: number, shape: readonly number[], seed = 1): Tensor => {
  let state = seed
  const count = rows * shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
  return tensor(data, [rows, ...shape])
}
const bits = (x: Tensor): Buffer => Buffer.from(x.data.buffer, x.data.byteOffset, x.data.byteLength)
const ids = (rows: number): Tensor => tensor(Int32Array.from({ length: rows * 9 }, (_, i) => (i * 7) % 20), [rows, 9])

interface Case {
  readonly make: () => Model
  readonly x: (rows: number) => Tensor
}

const cases: Readonly<Record<string, Case>> = {
  mlp: {
    make: () => {
      const input = Input({ shape: [37] })
      let x = layers.Dense({ units: 130, activation: 'tanh' })(input)
      x = layers.Dense({ units: 65, activation: 'gelu' })(x)
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
    },
    x: (rows) => random(rows, [37]),
  },
  convolutional: {
    make: () => {
      const input = Input({ shape: [12, 12, 3] })
      let x = layers.Conv2D({ filters: 33, kernelSize: 3, padding: 'same', activation: 'relu' })(input)
      x = layers.BatchNormalization()(x)
      x = layers.Conv2D({ filters: 17, kernelSize: 3, strides: 2 })(x)
      x = layers.AveragePooling2D()(x)
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(layers.Flatten()(x)) })
    },
    x: (rows) => random(rows, [12, 12, 3]),
  },
  recurrent: {
    make: () => {
      const input = Input({ shape: [null], dtype: 'int32' })
      const x = layers.LSTM({ units: 21 })(layers.Embedding({ inputDim: 20, outputDim: 13, maskZero: true })(input))
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
    },
    x: ids,
  },
}

test.afterEach(() => setThreads(2))

for (const [name, { make, x }] of Object.entries(cases)) {
  serial(`${name}: the same predictions for 1 and 2 threads, again and again, awaited or not`, async (t) => {
    const model = make()
    const data = x(67)
    setThreads(1)
    const once = bits((await model.predict(data, { verbose: 0 })) as Tensor)
    setThreads(2)
    t.is(settings().threads, 2)
    for (let i = 0; i < 5; i++) t.deepEqual(bits((await model.predict(data, { verbose: 0 })) as Tensor), once)
    t.deepEqual(bits(model.predictSync(data)), once)
    const many = await Promise.all(Array.from({ length: 8 }, () => model.predict(data, { verbose: 0 })))
    for (const result of many) t.deepEqual(bits(result as Tensor), once)
  })

  serial(`${name}: a row alone has the bits it has in a batch`, async (t) => {
    const model = make()
    const data = x(41)
    const width = data.size / 41
    const whole = ((await model.predict(data, { verbose: 0, batchSize: 41 })) as Tensor).data
    for (const row of [0, 1, 7, 8, 31, 40]) {
      const alone = tensor(data.data.subarray(row * width, (row + 1) * width), [1, ...data.shape.slice(1)], data.dtype)
      t.deepEqual([...model.predictSync(alone).data], [...whole.subarray(row * 10, row * 10 + 10)], `row ${row}`)
    }
  })

  serial(`${name}: training gives the same weights for 1 and 2 threads and the same seed`, async (t) => {
    const trained = async (threads: number): Promise<Buffer[]> => {
      setThreads(threads)
      setRandomSeed(3)
      const model = make()
      model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' })
      const y = tensor(Int32Array.from({ length: 50 }, (_, i) => i % 10), [50])
      await model.fit(x(50), y, { epochs: 2, batchSize: 16, verbose: 0 })
      return model.getWeights().map(bits)
    }
    t.deepEqual(await trained(2), await trained(1))
  })
}
