import test from 'ava'
import { ConfigError, Input, Model, layers, ops, setPrecision, settings, tensor, type Tensor } from '../ts/index.ts'

const channels = 64
const extent = 12

/** Reproducible numbers, roughly normal. */
function random(shape: readonly number[], seed: number): Tensor {
  let state = seed
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const count = shape.reduce((a, b) => a * b, 1)
  return tensor(Float32Array.from({ length: count }, () => uniform() + uniform() + uniform()), shape)
}

/** The convolution with padding `'valid'` in double precision. */
function exact(x: Float32Array, kernel: Float32Array): Float64Array {
  const inner = extent - 2
  const y = new Float64Array(inner * inner * channels)
  for (let i = 0; i < inner; i++)
    for (let j = 0; j < inner; j++)
      for (let p = 0; p < 3; p++)
        for (let q = 0; q < 3; q++)
          for (let c = 0; c < channels; c++) {
            const value = x[((i + p) * extent + j + q) * channels + c] as number
            const taps = ((p * 3 + q) * channels + c) * channels
            for (let f = 0; f < channels; f++) {
              const at = (i * inner + j) * channels + f
              y[at] = (y[at] as number) + value * (kernel[taps + f] as number)
            }
          }
  return y
}

/** The largest error over the root mean square of what is wanted. */
function error(received: Tensor, wanted: Float64Array): number {
  const meanSquare = wanted.reduce((sum, w) => sum + w * w, 0) / wanted.length
  const largest = wanted.reduce((most, w, i) => Math.max(most, Math.abs((received.data[i] as number) - w)), 0)
  return largest / Math.sqrt(meanSquare)
}

const x = random([1, extent, extent, channels], 1)
const kernel = random([3, 3, channels, channels], 2)
const wanted = exact(x.data as Float32Array, kernel.data as Float32Array)
const bits = (y: Tensor): Buffer => Buffer.from(y.data.buffer, y.data.byteOffset, y.data.byteLength)

function convolutional(): Model {
  const input = Input({ shape: [extent, extent, channels], name: 'image' })
  const convolution = layers.Conv2D({ filters: channels, kernelSize: 3, useBias: false, name: 'convolution' })
  const model = Model({ inputs: input, outputs: convolution(input), name: 'model' })
  convolution.setWeights([kernel])
  return model
}

test.afterEach(() => setPrecision('fast'))

test.serial('strict convolutions are closer to the exact sums', (t) => {
  t.is(settings().precision, 'fast')
  const fast = error(ops.conv2d(x, kernel), wanted)
  setPrecision('strict')
  t.is(settings().precision, 'strict')
  const strict = error(ops.conv2d(x, kernel), wanted)
  t.true(fast < 2.5e-5, `fast: ${fast}`)
  t.true(strict < 6.4e-6, `strict: ${strict}`)
  t.true(strict < fast, `strict: ${strict}, fast: ${fast}`)
})

test.serial('a model computes every prediction and step as is set then', async (t) => {
  const model = convolutional()
  const alone = (precision: 'fast' | 'strict'): Buffer => {
    setPrecision(precision)
    return bits(ops.conv2d(x, kernel))
  }
  const [fast, strict] = [alone('fast'), alone('strict')]
  t.notDeepEqual(strict, fast)
  for (const [precision, result] of [['fast', fast], ['strict', strict], ['fast', fast]] as const) {
    setPrecision(precision)
    t.deepEqual(bits(model.predictSync(x)), result)
    t.deepEqual(bits((await model.predict(x)) as Tensor), result)
  }

  const y = random([1, extent - 2, extent - 2, channels], 3)
  const trained = async (precision: 'fast' | 'strict'): Promise<Buffer> => {
    setPrecision(precision)
    const trainee = convolutional()
    trainee.compile({ optimizer: 'sgd', loss: 'mse' })
    await trainee.trainOnBatch(x, y)
    return bits(trainee.getWeights()[0] as Tensor)
  }
  t.notDeepEqual(await trained('strict'), await trained('fast'))
  t.deepEqual(await trained('strict'), await trained('strict'))
})

test.serial('configurations do not know of it', (t) => {
  const before = convolutional().toJSON()
  setPrecision('strict')
  const after = convolutional().toJSON()
  t.deepEqual(after, before)
})

test.serial('other words are refused', (t) => {
  const refused = t.throws(() => setPrecision('high' as 'fast'), { instanceOf: ConfigError })
  t.is(refused?.message, "setPrecision: expected 'fast' or 'strict', received 'high'")
  t.is(settings().precision, 'fast')
})
