import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { setThreads, settings, tensor, type Tensor } from '../ts/index.ts'
import { bits, cases, trained } from './helpers/sameness.ts'

const serial = test.serial
const threads = settings().threads

test.afterEach(() => setThreads(threads))

for (const [name, sample] of Object.entries(cases)) {
  const { make, x } = sample
  serial(`${name}: the same predictions for 1 to 4 threads, again and again, awaited or not`, async (t) => {
    const model = make()
    const data = x(67)
    setThreads(1)
    const once = bits((await model.predict(data, { verbose: 0 })) as Tensor)
    for (const count of [2, 3, 4]) {
      setThreads(count)
      t.is(settings().threads, count)
      for (let i = 0; i < 3; i++) t.deepEqual(bits((await model.predict(data, { verbose: 0 })) as Tensor), once)
    }
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

  serial(`${name}: training gives the same weights for 1 to 4 threads and the same seed`, async (t) => {
    setThreads(1)
    const once = await trained(sample)
    for (const count of [2, 3, 4, 4]) {
      setThreads(count)
      t.deepEqual(await trained(sample), once)
    }
  })
}

const script = fileURLToPath(new URL('helpers/print-sameness.ts', import.meta.url))
const onLevel = (simd: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['--import=tsx', script], { env: { ...process.env, FERROGRAPH_SIMD: simd }, encoding: 'utf8' }))

// ARCHITECTURE.md, "Sameness": these models have no kernel whose bits differ between the two.
const both = settings().simd === 'avx512' ? serial : serial.skip
both('AVX2 and AVX-512 give the same predictions and the same weights', (t) => {
  const [avx2, avx512] = [onLevel('avx2'), onLevel('avx512')] as [Record<string, unknown>, Record<string, unknown>]
  t.is(avx2['simd'], 'avx2')
  t.is(avx512['simd'], 'avx512')
  t.deepEqual({ ...avx2, simd: '' }, { ...avx512, simd: '' })
})
