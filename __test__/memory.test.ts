import test from 'ava'
import { Input, Model, layers, settings, tensor, zeros, type Tensor } from '../ts/index.ts'

const megabyte = 2 ** 20

test.serial('300 predictions of a 40 MB model leave memory flat', async (t) => {
  const input = Input({ shape: [1024] })
  let x = input
  for (let i = 0; i < 10; i++) x = layers.Dense({ units: 1024, activation: 'relu' })(x)
  const model = Model({ inputs: input, outputs: x })
  t.true(model.countParams() * 4 > 40e6)
  const data = tensor(new Float32Array(1024).fill(0.1), [1, 1024])
  const predictions = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await model.predict(data, { verbose: 0 })
    for (let i = 0; i < count; i++) model.predictSync(data)
    global.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await predictions(30)
  const [native, resident] = [settings().allocatedBytes, process.memoryUsage().rss]
  await predictions(300)
  t.true(settings().allocatedBytes - native < megabyte, `native memory grew by ${settings().allocatedBytes - native}`)
  t.true(process.memoryUsage().rss - resident < 32 * megabyte, `resident memory grew by ${process.memoryUsage().rss - resident}`)
})

test.serial('tensors that nobody holds are collected without dispose', async (t) => {
  let most = 0
  for (let i = 0; i < 1000; i++) {
    zeros([megabyte])
    // Node runs the finalizers of collected objects between two turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, settings().allocatedBytes)
  }
  t.true(most < 1024 * megabyte, `4 GB were made one by one, and ${most} bytes were held at once`)
})

test.serial('dispose frees at once', (t) => {
  const before = settings().allocatedBytes
  const held: Tensor[] = Array.from({ length: 4 }, () => zeros([megabyte]))
  t.is(settings().allocatedBytes - before, 16 * megabyte)
  for (const x of held) x.dispose()
  t.is(settings().allocatedBytes, before)
})
