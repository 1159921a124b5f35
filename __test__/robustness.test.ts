import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FerrographError, Input, Model, layers, loadModel, ops, setMemoryLimit, settings, tensor, zeros, type Tensor } from '../ts/index.ts'

function small(): Model {
  const input = Input({ shape: [3], name: 'x' })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 2 })(input) })
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  return model
}

test('a batch of no rows predicts no rows', async (t) => {
  t.deepEqual([...((await small().predict(zeros([0, 3]), { verbose: 0 })) as Tensor).shape], [0, 2])
  const image = Input({ shape: [6, 6, 2] })
  let x = layers.Conv2D({ filters: 4, kernelSize: 3 })(image)
  x = layers.MaxPooling2D()(layers.BatchNormalization()(x))
  const model = Model({ inputs: image, outputs: layers.GlobalAveragePooling2D()(x) })
  t.deepEqual([...model.predictSync(zeros([0, 6, 6, 2])).shape], [0, 4])
})

test('extents of 1 everywhere', (t) => {
  const image = Input({ shape: [1, 1, 1] })
  const x = layers.Flatten()(layers.MaxPooling2D({ poolSize: 1 })(layers.Conv2D({ filters: 1, kernelSize: 1, kernelInitializer: 'ones' })(image)))
  t.deepEqual(Model({ inputs: image, outputs: x }).predictSync(tensor([[[[2]]]])).toArray(), [[2]])
})

test('NaN and infinities go through', (t) => {
  const input = Input({ shape: [2] })
  const model = Model({ inputs: input, outputs: layers.Activation({ activation: 'relu' })(input) })
  const [[a, b]] = model.predictSync([[NaN, Infinity]]).toArray() as [[number, number]]
  t.true(Number.isNaN(a))
  t.is(b, Infinity)
})

test('wrong data is a typed error that names the input, and the model goes on working', async (t) => {
  const model = small()
  const wrong: readonly [string, unknown][] = [
    ['rank', zeros([2, 3, 4])],
    ['extent', zeros([2, 4])],
    ['name', { y: zeros([2, 3]) }],
    ['count', [zeros([2, 3]), zeros([2, 3])]],
    ['text', 'abc'],
    ['nothing', undefined],
    ['null', null],
    ['ragged', [[1, 2, 3], [1, 2]]],
    ['words', [['a', 'b', 'c']]],
    ['symbol', Symbol('x')],
    ['function', () => 3],
    ['bigint', 3n],
    ['negative shape', { data: new Float32Array(3), shape: [-1, 3] }],
    ['fractional shape', { data: new Float32Array(3), shape: [0.5, 6] }],
    ['huge shape', { data: new Float32Array(3), shape: [2 ** 53, 3] }],
  ]
  for (const [what, data] of wrong) {
    const error = await t.throwsAsync(async () => model.predict(data as never, { verbose: 0 }), undefined, what)
    t.true(error instanceof FerrographError, `${what}: ${error?.stack}`)
    t.throws(() => model.predictSync(data as never), { instanceOf: FerrographError }, what)
  }
  t.deepEqual([...((await model.predict(zeros([2, 3]), { verbose: 0 })) as Tensor).shape], [2, 2])
})

test('a transferred buffer is an error, not old memory', async (t) => {
  const data = new Float32Array(6)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  await t.throwsAsync(async () => small().predict({ data, shape: [2, 3] }, { verbose: 0 }), { instanceOf: FerrographError })
})

test('use after dispose is an error', (t) => {
  const x = tensor([[1, 2, 3]])
  x.dispose()
  x.dispose()
  t.throws(() => x.data, { code: 'STATE' })
  t.throws(() => ops.add(x, 1), { code: 'STATE' })
  t.throws(() => small().predictSync(x), { code: 'STATE' })
})

test('arrays and tensors may change hands as soon as predict was called; a tensor that later batches need must stay', async (t) => {
  const model = small()
  const array = Float32Array.from([1, 2, 3])
  const expected = model.predictSync({ data: Float32Array.from(array), shape: [1, 3] })
  const running = model.predict({ data: array, shape: [1, 3] }, { verbose: 0 })
  array.fill(NaN)
  t.deepEqual([...((await running) as Tensor).data], [...expected.data])
  const x = tensor([[1, 2, 3]])
  const other = model.predict(x, { verbose: 0 })
  x.dispose()
  t.deepEqual([...((await other) as Tensor).data], [...expected.data])
  await t.throwsAsync(model.predict(x), { code: 'STATE' })
  t.throws(() => model.predictSync(x), { code: 'STATE' })
  const rows = zeros([40, 3])
  const batches = model.predict(rows, { verbose: 0 })
  rows.dispose()
  await t.throwsAsync(batches, { code: 'STATE' })
})

test.serial('shapes that no memory holds are errors before anything is allocated', (t) => {
  const before = settings().allocatedBytes
  for (const shape of [[2 ** 53], [2 ** 27, 2 ** 27], [2 ** 40], [-1], [1.5], [NaN]]) {
    t.throws(() => zeros(shape), { instanceOf: FerrographError }, String(shape))
  }
  t.throws(() => ops.broadcastTo(tensor([[1]]), [2 ** 30, 2 ** 30]), { instanceOf: FerrographError })
  t.throws(() => layers.Dense({ units: 2 ** 50 })(Input({ shape: [2 ** 10] })), { instanceOf: FerrographError })
  // The few operands above may not be collected yet.
  t.true(settings().allocatedBytes - before < 1024)
})

test.serial('the memory limit turns a plan that is too large into an error, and lifting it lets the same call succeed', (t) => {
  const { memoryLimit, allocatedBytes } = settings()
  setMemoryLimit(allocatedBytes + 2 ** 20)
  t.throws(() => zeros([2 ** 20]), { instanceOf: FerrographError })
  setMemoryLimit(memoryLimit)
  t.is(zeros([2 ** 20]).size, 2 ** 20)
})

test('an index outside an embedding fails the run and names the index', async (t) => {
  const input = Input({ shape: [null], dtype: 'int32' })
  const model = Model({ inputs: input, outputs: layers.Embedding({ inputDim: 4, outputDim: 2 })(input) })
  for (const index of [4, -1]) {
    await t.throwsAsync(async () => model.predict(tensor(Int32Array.of(0, index), [1, 2]), { verbose: 0 }), { code: 'DATA', message: new RegExp(String(index)) })
  }
  t.is(model.predictSync(tensor(Int32Array.of(0, 3), [1, 2])).size, 4)
})

test('files that are none are typed errors', async (t) => {
  const path = join(tmpdir(), `ferrograph-${process.pid}-wrong.keras`)
  for (const bytes of [Buffer.alloc(0), Buffer.from('PK'), Buffer.from('{"a": 1}'), Buffer.alloc(4096, 0x55)]) {
    writeFileSync(path, bytes)
    const error = await t.throwsAsync(loadModel(path), { instanceOf: FerrographError })
    t.regex((error as FerrographError).code, /^FILE/)
  }
  await t.throwsAsync(loadModel(join(tmpdir(), 'no-such-file.keras')), { code: 'FILE_READ' })
  await t.throwsAsync(loadModel('model.h5'), { code: 'CONFIG' })
  await t.throwsAsync(loadModel('nul\0.keras'), { code: 'CONFIG' })
})

test('names from Object.prototype are names like any other', async (t) => {
  for (const name of ['constructor', 'hasOwnProperty', 'toString', '__proto__']) {
    const input = Input({ shape: [1], name })
    const model = Model({ inputs: [input], outputs: layers.Dense({ units: 1, name: `${name}_out` })(input) })
    const data = Object.create(null) as Record<string, unknown>
    Object.defineProperty(data, name, { value: [[1]], enumerable: true })
    t.deepEqual([...((await model.predict(data as never, { verbose: 0 })) as Tensor).shape], [1, 1], name)
  }
  t.is(Object.keys({}).length, 0)
})
