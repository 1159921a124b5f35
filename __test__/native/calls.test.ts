import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { DataError, Input, Model, layers, ops, settings, tensor, zeros, type Tensor } from '../../ts/index.ts'
import { addon } from '../../ts/native/addon.ts'

/** Doubles what it gets. */
function doubling(extent = 3, dtype: 'float32' | 'int32' = 'float32'): Model {
  const input = Input({ shape: [extent], dtype })
  return Model({ inputs: input, outputs: ops.add(input, input) })
}

const numbers = (x: unknown): number[] => [...(x as Tensor).data]

/** A program that doubles, with its inputs of `[rows, 3]`. */
function program(dtype: 'float32' | 'int32' | 'uint8' | 'bool' = 'float32') {
  const graph = new addon.NativeGraph()
  const x = graph.input(dtype, [null, 3])
  return graph.compile(dtype === 'float32' || dtype === 'int32' ? graph.emit('add', '{}', [x, x]) : [x], [])
}

test('the native side takes typed arrays of the input’s type and size only', (t) => {
  const run = (data: unknown, shape: unknown) => program().runSync([data as Float32Array], [shape as number[]])
  t.deepEqual(run(Float32Array.of(1, 2, 3), [1, 3]), [Float32Array.of(2, 4, 6), [1, 3]])
  t.deepEqual(run(new Float32Array(0), [0, 3]), [new Float32Array(0), [0, 3]])
  t.deepEqual(run(new addon.NativeTensor('float32', [1, 3], Float32Array.of(1, 2, 3)), undefined), [Float32Array.of(2, 4, 6), [1, 3]])
  t.throws(() => run(Int32Array.of(1, 2, 3), [1, 3]), { code: 'ARGUMENT' })
  t.throws(() => run(Float64Array.of(1, 2, 3), [1, 3]), { code: 'ARGUMENT' })
  t.throws(() => run(Float32Array.of(1, 2), [1, 3]), { code: 'LENGTH' })
  t.throws(() => run(Float32Array.of(1, 2), [1, 2]), { code: 'INPUT' })
  t.throws(() => run(Float32Array.of(1, 2, 3), [3]), { code: 'INPUT' })
  t.throws(() => program().runSync([], []), { code: 'INPUT_COUNT' })
  const transferred = new Float32Array(3)
  structuredClone(transferred.buffer, { transfer: [transferred.buffer] })
  t.throws(() => run(transferred, [1, 3]), { code: 'DETACHED' })
  t.throws(() => run(transferred, [0, 3]), { code: 'DETACHED' })
  for (const odd of [undefined, null, 1, 'x', {}, [], [1, 2, 3], () => 1, new ArrayBuffer(12)]) {
    t.throws(() => run(odd, [1, 3]), { code: 'ARGUMENT' })
    t.throws(() => run(Float32Array.of(1, 2, 3), odd), undefined, String(odd))
  }
})

test('small operands cross in one piece of memory, which has to be long enough and aligned', (t) => {
  const doubled = program()
  const stage = doubled.stage(2)
  t.deepEqual(stage, { bytes: 128, inputs: [0], outputs: [64], shapes: [[2, 3]] })
  const memory = new Float32Array(64)
  memory.set([1, 2, 3, 4, 5, 6])
  doubled.runStaged(2, new Uint8Array(memory.buffer, 0, 128))
  t.deepEqual([...memory.subarray(16, 22)], [2, 4, 6, 8, 10, 12])
  // The rows may change without a word.
  doubled.runStaged(1, new Uint8Array(memory.buffer))
  t.deepEqual([...memory.subarray(16, 19)], [2, 4, 6])
  for (const wrong of [new Uint8Array(127), new Uint8Array(memory.buffer, 1), new Uint8Array(0)]) {
    t.like(t.throws(() => doubled.runStaged(2, wrong)), { code: 'ARGUMENT' })
  }
  for (const wrong of [memory, undefined, [], {}]) t.throws(() => doubled.runStaged(2, wrong as never))
  for (const rows of [-1, 0.5, NaN, 2 ** 53, undefined]) {
    t.throws(() => doubled.stage(rows as number))
    t.throws(() => doubled.runStaged(rows as number, new Uint8Array(128)))
  }
  t.is(doubled.stage(2 ** 40), null)
  t.throws(() => doubled.runStaged(2 ** 40, new Uint8Array(128)))
  // What is true has to be looked at one by one.
  t.is(program('bool').stage(1), null)
})

test('an array that transfers another one away while it is read is refused', (t) => {
  const graph = new addon.NativeGraph()
  const [x, y] = [graph.input('float32', [3]), graph.input('float32', [3])]
  const first = Float32Array.of(1, 2, 3)
  class Hostile extends Float32Array {
    override get buffer(): ArrayBuffer {
      structuredClone(first.buffer, { transfer: [first.buffer] })
      return new ArrayBuffer(12)
    }
  }
  t.throws(() => graph.compile(graph.emit('add', '{}', [x, y]), []).runSync([first, new Hostile(3)], [[3], [3]]), { code: 'LENGTH' })
})

test('any byte but 0 is true, and what is returned is 0 or 1', (t) => {
  t.deepEqual(program('bool').runSync([Uint8Array.of(0, 7, 255)], [[1, 3]])[0], Uint8Array.of(0, 1, 1))
  t.deepEqual(program('uint8').runSync([Uint8Array.of(0, 7, 255)], [[1, 3]])[0], Uint8Array.of(0, 7, 255))
})

test('views into larger, shared and resizable buffers are read from where they begin', async (t) => {
  const model = doubling()
  const wide = Float32Array.of(9, 1, 2, 3, 9)
  const shared = new Float32Array(new SharedArrayBuffer(20), 4, 3)
  shared.set([1, 2, 3])
  const arrays = [wide.subarray(1, 4), shared]
  const resizable = new (ArrayBuffer as unknown as new (n: number, options: object) => ArrayBuffer)(16, { maxByteLength: 64 })
  const tracking = new Float32Array(resizable, 4)
  tracking.set([1, 2, 3])
  for (const data of [...arrays, tracking]) {
    t.deepEqual(numbers(model.predictSync({ data, shape: [1, 3] })), [2, 4, 6])
    t.deepEqual(numbers(await model.predict({ data, shape: [1, 3] })), [2, 4, 6])
  }
  ;(resizable as unknown as { resize(n: number): void }).resize(8)
  t.throws(() => model.predictSync({ data: tracking, shape: [1, 3] }), { instanceOf: DataError })
  await t.throwsAsync(model.predict({ data: tracking, shape: [1, 3] }), { instanceOf: DataError })
})

test('data may change as soon as a call has returned its promise', async (t) => {
  const model = doubling()
  const data = Float32Array.of(1, 2, 3)
  const many = new Float32Array(120).fill(1)
  const calls = [model.predict({ data, shape: [1, 3] }), model.predictOnBatch({ data, shape: [1, 3] }), model.predict({ data: many, shape: [40, 3] })]
  data.fill(NaN)
  many.fill(NaN)
  const [a, b, c] = await Promise.all(calls)
  t.deepEqual([numbers(a), numbers(b)], [[2, 4, 6], [2, 4, 6]])
  t.true(numbers(c).every((x) => x === 2))

  const input = Input({ shape: [1] })
  const line = Model({ inputs: input, outputs: layers.Dense({ units: 1, kernelInitializer: 'ones' })(input) })
  line.compile({ optimizer: 'sgd', loss: 'mse' })
  const [x, y] = [Float32Array.of(1), Float32Array.of(3)]
  const logs = [line.testOnBatch({ data: x, shape: [1, 1] }, { data: y, shape: [1, 1] })]
  y.fill(NaN)
  t.is((await logs[0])?.['loss'], 4)
  y.fill(3)
  const trained = line.trainOnBatch({ data: x, shape: [1, 1] }, { data: y, shape: [1, 1] })
  x.fill(NaN)
  t.is((await trained)['loss'], 4)
  t.true(numbers(line.predictSync([[1]])).every(Number.isFinite))
})

test('results are independent of each other, of the data and of what is done to them', async (t) => {
  const model = doubling()
  const data = Float32Array.of(1, 2, 3)
  const first = model.predictSync({ data, shape: [1, 3] })
  const second = model.predictSync({ data: Float32Array.of(4, 5, 6), shape: [1, 3] })
  t.deepEqual([numbers(first), numbers(second)], [[2, 4, 6], [8, 10, 12]])
  first.data.fill(0)
  t.deepEqual(numbers(model.predictSync(first)), [4, 8, 12], 'a written array does not change its tensor')
  t.deepEqual(numbers(await model.predict(first)), [4, 8, 12])
  t.deepEqual(numbers(ops.add(first, 1)), [3, 5, 7])
  t.is(first.data, first.data)
  const input = Input({ shape: [3] })
  const same = Model({ inputs: input, outputs: layers.Identity()(input) })
  const copy = same.predictSync({ data, shape: [1, 3] })
  data.fill(7)
  t.deepEqual(numbers(copy), [1, 2, 3], 'an output that is the input is a copy')
  const x = tensor(data, [1, 3])
  data.fill(0)
  t.deepEqual(numbers(model.predictSync(x)), [14, 14, 14])
  first.dispose()
  t.throws(() => first.data, { code: 'STATE' })
  t.throws(() => ops.add(first, 1), { code: 'STATE' })
})

test('plain data and the same data in other forms give the same results', (t) => {
  const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [3], name: 'b', dtype: 'int32' })]
  const sum = ops.add(ops.sum(a, { axis: 1 }), ops.sum(ops.cast(b, 'float32'), { axis: 1 }))
  const model = Model({ inputs: [a, b], outputs: [sum, ops.multiply(b, 2)] })
  const floats = Float32Array.of(1, 2, 3, 4)
  const whole = Int32Array.of(1, 2, 3, 4, 5, 6)
  const rows = (n: number) => [
    { data: floats.subarray(0, 2 * n), shape: [n, 2] },
    { data: whole.subarray(0, 3 * n), shape: [n, 3] },
  ]
  const seen = (outputs: Tensor[]) => outputs.map((output) => [output.dtype, output.shape, numbers(output)])
  for (const n of [1, 2, 1, 2]) {
    const plain = seen(model.predictSync(rows(n)))
    t.deepEqual(plain, seen(model.predictSync(rows(n).map(({ data, shape }) => ({ data: [...data], shape })))))
    t.deepEqual(plain, seen(model.predictSync(rows(n).map(({ data, shape }) => tensor(data, shape)))))
    t.deepEqual(plain, seen(model.predictSync({ a: rows(n)[0]!, b: rows(n)[1]! })))
    t.deepEqual(plain, seen(model.predictSync(rows(n), { batchSize: 1 })))
  }
  const [x, y] = rows(2)
  for (const wrong of [x, [x], [y, x], [x, { ...y, shape: [3, 2] }], [x, { ...y, shape: [1, 3] }], [x, { ...y, shape: [2] }]]) {
    t.throws(() => model.predictSync(wrong as never), { instanceOf: DataError })
  }
  for (const wrong of [{ batchSize: 0 }, { batchSize: 1.5 }, { batchsize: 1 }, null, []]) {
    t.throws(() => model.predictSync(rows(2), wrong as never))
  }
  const gone = tensor(floats, [2, 2])
  gone.dispose()
  t.throws(() => model.predictSync([gone, rows(2)[1]!]), { message: /disposed/ })
})

test('outputs keep their structure and their types', async (t) => {
  const input = Input({ shape: [2] })
  const [sum, larger] = [ops.add(input, input), ops.greater(input, 1)]
  const byName = Model({ inputs: input, outputs: { sum, larger } as never })
  for (const y of [byName.predictSync([[1, 2]]), await byName.predict([[1, 2]])] as Record<string, Tensor>[]) {
    t.deepEqual(Object.keys(y), ['sum', 'larger'])
    t.deepEqual([y['sum']?.dtype, y['larger']?.dtype], ['float32', 'bool'])
    t.deepEqual([y['sum']?.toArray(), y['larger']?.toArray()], [[[2, 4]], [[false, true]]])
  }
  const listed = Model({ inputs: input, outputs: [sum, larger] as never })
  const pair = listed.predictSync(zeros([70, 2])) as Tensor[]
  t.deepEqual(pair.map(({ shape }) => [...shape]), [[70, 2], [70, 2]])
  t.true(Object.isFrozen(pair[0]?.shape))
  t.deepEqual(numbers(doubling(2, 'int32').predictSync({ data: Int32Array.of(1, 2), shape: [1, 2] })), [2, 4])
})

test('large results are as good as small ones', async (t) => {
  const model = doubling(100_000)
  const data = Float32Array.from({ length: 200_000 }, (_, i) => i)
  for (const y of [model.predictSync({ data, shape: [2, 100_000] }), await model.predict({ data, shape: [2, 100_000] })] as Tensor[]) {
    t.deepEqual([...y.shape], [2, 100_000])
    t.true(y.data.every((value, i) => value === 2 * i))
    y.data[0] = 5
    t.is((model.predictSync(y) as Tensor).data[0], 0)
  }
})

test('hundreds of calls under way at once each get their own result', async (t) => {
  const model = doubling()
  const calls = Array.from({ length: 500 }, (_, i) => model.predict({ data: Float32Array.of(i, 0, 0), shape: [1, 3] }))
  t.deepEqual((await Promise.all(calls)).map((y) => numbers(y)[0]), Array.from(calls, (_, i) => 2 * i))
})

test.serial('a loop of predictSync that never yields keeps memory bounded', (t) => {
  const model = doubling(65_536)
  const data = new Float32Array(65_536)
  const loop = (count: number): void => {
    for (let i = 0; i < count; i++) model.predictSync({ data, shape: [1, 65_536] })
  }
  loop(100)
  const [native, resident] = [settings().allocatedBytes, process.memoryUsage().rss]
  // 1.5 GB of results, one by one.
  loop(6000)
  t.true(settings().allocatedBytes - native < 2 ** 20)
  t.true(process.memoryUsage().rss - resident < 256 * 2 ** 20, `${(process.memoryUsage().rss - resident) / 2 ** 20} MB`)
})

test('a worker may end while its calls are under way', async (t) => {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    const { NativeGraph, NativeRuns } = require(workerData)
    const graph = new NativeGraph()
    let y = graph.input('float32', [null])
    for (let i = 0; i < 20; i++) [y] = graph.emit('sin', '{}', [y])
    const program = graph.compile([y], [])
    const runs = new NativeRuns(() => runs.fetch())
    for (let i = 0; i < 20; i++) runs.begin(i, program, [new Float32Array(1e6)], [[1e6]])
    parentPort.postMessage('under way')`
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(code, { eval: true, workerData: fileURLToPath(new URL('../../native.cjs', import.meta.url)) })
    await once(worker, 'message')
    t.is(await worker.terminate(), 1)
  }
  t.deepEqual(numbers(await doubling().predict([[1, 2, 3]])), [2, 4, 6])
})

test.serial('however quickly predictions follow one another, the event loop turns in between', async (t) => {
  const input = Input({ shape: [4] })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 4 })(input) })
  const data = tensor(new Float32Array(4), [1, 4])
  const lanes = 8
  let settled = 0
  let most = 0
  let last = 0
  let turning = true
  const turn = (): void => {
    most = Math.max(most, settled - last)
    last = settled
    if (turning) setImmediate(turn)
  }
  setImmediate(turn)
  const lane = async (): Promise<void> => {
    for (let i = 0; i < 500; i++) {
      await model.predict(data, { verbose: 0 })
      settled++
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  turning = false
  // A turn fetches once for the bell and once because the last turn found something; a lane has one run at a time.
  t.true(most <= 2 * lanes, `${most} predictions in one turn`)
})
