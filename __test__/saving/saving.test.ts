import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  FileError,
  Input,
  Layer,
  Model,
  Sequential,
  activations,
  layers,
  loadModel,
  ops,
  optimizers,
  registerSerializable,
  tensor,
  type FerrographError,
  type Shape,
  type SymbolicTensor,
  type Tensor,
  type Variable,
} from '../../ts/index.ts'
import { addon, type StoredTensor } from '../../ts/native/addon.ts'

const folder = mkdtempSync(join(tmpdir(), 'ferrograph-saving-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

function twoLayers(name: string): Model {
  const input = Input({ shape: [4], name: 'in' })
  const hidden = layers.Dense({ units: 3, activation: 'relu', name: 'hidden' })(input)
  return Model({ inputs: input, outputs: layers.Dense({ units: 2, name: 'out' })(hidden), name })
}

const x = tensor(Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)), [5, 4])
const y = tensor(Float32Array.from({ length: 10 }, (_, i) => Math.cos(i)), [5, 2])

class Scaled extends Layer {
  declare scale: Variable
  readonly factor: number

  constructor({ factor = 1, ...base }: { factor?: number; name?: string } = {}) {
    super(base)
    this.factor = factor
  }

  override build(shape: Shape): void {
    this.scale = this.addWeight({ name: 'scale', shape: [shape.at(-1) as number], initializer: 'random_normal' })
  }

  override call(input: SymbolicTensor): SymbolicTensor {
    return ops.multiply(ops.multiply(input, this.scale), this.factor)
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), factor: this.factor }
  }
}

function withCustomLayer(): Model {
  const input = Input({ shape: [4] })
  return Model({ inputs: input, outputs: new Scaled({ factor: 3 })(input) })
}

test('a trained model comes back with its weights, compile options and optimizer, and goes on training with the same bits', async (t) => {
  const model = twoLayers('trained')
  model.compile({ optimizer: optimizers.Adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] })
  const options = { epochs: 2, batchSize: 2, shuffle: false, verbose: 0 as const }
  await model.fit(x, y, options)
  const path = join(folder, 'trained.keras')
  await model.save(path)
  const again = await loadModel(path)
  t.deepEqual([...(again.predictSync(x) as Tensor).data], [...(model.predictSync(x) as Tensor).data])
  const [expected, received] = [await model.fit(x, y, options), await again.fit(x, y, options)]
  t.deepEqual(received.history, expected.history)
  t.deepEqual(again.getWeights().map((w) => [...w.data]), model.getWeights().map((w) => [...w.data]))
  t.deepEqual(await again.evaluate(x, y, { verbose: 0 }), await model.evaluate(x, y, { verbose: 0 }))
  t.deepEqual(Object.keys(await again.evaluate(x, y, { verbose: 0 })).sort(), ['loss', 'mae'])
})

test('compile: false leaves the compile options in the file', async (t) => {
  const model = twoLayers('plain')
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const path = join(folder, 'plain.keras')
  await model.save(path)
  const again = await loadModel(path, { compile: false })
  await t.throwsAsync(async () => again.fit(x, y), { code: 'STATE' })
})

test('weights alone go into .weights.h5 and come back', async (t) => {
  const [model, other] = [twoLayers('a'), twoLayers('b')]
  const path = join(folder, 'a.weights.h5')
  await model.saveWeights(path)
  await other.loadWeights(path)
  t.deepEqual([...other.predictSync(x).data], [...model.predictSync(x).data])
})

test('layers of your own need to be named when a file is loaded', async (t) => {
  const model = withCustomLayer()
  const path = join(folder, 'custom.keras')
  await model.save(path)
  await t.throwsAsync(loadModel(path), { code: 'CONFIG', message: /unknown layer class 'Scaled'/ })
  const again = await loadModel(path, { customObjects: { Scaled } })
  t.deepEqual([...again.predictSync(x).data], [...model.predictSync(x).data])
})

test.serial('a registered class is found by itself, under its package', async (t) => {
  class Registered extends Scaled {}
  registerSerializable(Registered, { package: 'tests' })
  const input = Input({ shape: [4] })
  const model = Model({ inputs: input, outputs: new Registered({ factor: 2 })(input) })
  t.regex(model.toJSON(), /"registered_name": "tests>Registered"/)
  const path = join(folder, 'registered.keras')
  await model.save(path)
  t.deepEqual([...(await loadModel(path)).predictSync(x).data], [...model.predictSync(x).data])
})

test('a subclassed model comes back through its class', async (t) => {
  class Mine extends Model {
    readonly first = layers.Dense({ units: 3, activation: 'tanh' })
    readonly blocks = [layers.Dense({ units: 3 }), layers.Dense({ units: 2 })]
    override call(input: SymbolicTensor): SymbolicTensor {
      return this.blocks.reduce((z, layer) => layer<SymbolicTensor>(z), this.first<SymbolicTensor>(input))
    }
  }
  const model = new Mine()
  model(x)
  const path = join(folder, 'mine.keras')
  await model.save(path)
  const again = await loadModel(path, { customObjects: { Mine } })
  t.deepEqual([...again.predictSync(x).data], [...model.predictSync(x).data])
})

test('a sequential model that knows its input comes back; one that does not cannot be saved', async (t) => {
  const model = Sequential([Input({ shape: [4] }), layers.Dense({ units: 2, activation: activations.gelu })])
  const path = join(folder, 'stack.keras')
  await model.save(path)
  const again = await loadModel(path)
  t.is(again.className, 'Sequential')
  t.deepEqual([...again.predictSync(x).data], [...model.predictSync(x).data])
  await t.throwsAsync(Sequential([layers.Dense({ units: 1 })]).save(path), { code: 'STATE' })
})

test('a file is replaced as a whole, nothing is left beside it, and overwrite: false keeps the old one', async (t) => {
  // Other tests save at the same time, with temporary files of theirs.
  const own = mkdtempSync(join(folder, 'own-'))
  const path = join(own, 'whole', 'x.keras')
  await t.throwsAsync(twoLayers('c').save(path), { instanceOf: FileError, code: 'FILE_WRITE' })
  const there = join(own, 'kept.keras')
  await twoLayers('d').save(there)
  const before = readFileSync(there)
  await t.throwsAsync(twoLayers('e').save(there, { overwrite: false }), { code: 'FILE_EXISTS' })
  t.deepEqual(readFileSync(there), before)
  t.deepEqual(readdirSync(own), ['kept.keras'])
})

/** Bytes of a model's file after a change to its parts. */
function changed(model: Model, change: (parts: { config: string; metadata: string; tensors: StoredTensor[] }) => void): Uint8Array {
  const parts = addon.readArchive(bytesOf(model))
  change(parts)
  return addon.writeArchive({ ...parts, groups: [] })
}

function bytesOf(model: Model): Uint8Array {
  const config = model.toJSON()
  const tensors = model.weights.map((variable, i): StoredTensor => {
    const { data } = variable.read()
    const layer = i < 2 ? 'dense' : 'dense_1'
    return { path: `layers/${layer}/vars/${i % 2}`, dtype: 'float32', shape: [...variable.shape], data: new Uint8Array(data.buffer) }
  })
  return addon.writeArchive({ config, metadata: '{"keras_version": "3.15.1"}', groups: [], tensors })
}

const attacks: Readonly<Record<string, [(parts: { config: string; metadata: string; tensors: StoredTensor[] }) => void, RegExp]>> = {
  'a class of another module': [(p) => (p.config = p.config.replaceAll('"keras.layers"', '"os"')), /unknown layer class/],
  'a Lambda layer': [(p) => (p.config = p.config.replace('"class_name": "Dense"', '"class_name": "Lambda"')), /unknown layer class 'Lambda'/],
  'a name of Object.prototype as class': [(p) => (p.config = p.config.replace('"class_name": "Dense"', '"class_name": "constructor"')), /unknown layer class 'constructor'/],
  'an unknown option': [(p) => (p.config = p.config.replace('"units"', '"unitz"')), /unitz/],
  'a missing weight': [(p) => p.tensors.pop(), /expected 2 variables, but the file has 1/],
  'a weight too many': [(p) => p.tensors.push({ ...(p.tensors[0] as StoredTensor), path: 'layers/dense_7/vars/0' }), /'layers\/dense_7\/vars\/0'/],
  'a weight of another shape': [(p) => ((p.tensors[0] as StoredTensor).shape = [3, 4]), /expected shape \[4, 3\]/],
  'a call that reads from nowhere': [(p) => (p.config = p.config.replace('"keras_history": ["in"', '"keras_history": ["out"')), /wait for tensors|does not have/],
  'two layers of one name': [(p) => (p.config = p.config.replaceAll('"hidden"', '"out"')), /'out'/],
  'text that is no JSON': [(p) => (p.config = '{"class_name": '), /config.json/],
  'a key that stands twice': [(p) => (p.config = p.config.replace('{', '{"module": "x", ')), /'module' stands twice/],
  'nesting without end': [(p) => (p.config = '['.repeat(100_000)), /nesting/],
  'a list instead of a model': [(p) => (p.config = '[]'), /./],
  'a model of 2^50 units': [(p) => (p.config = p.config.replace('"units": 3', `"units": ${2 ** 50}`)), /./],
}

for (const [what, [change, message]] of Object.entries(attacks)) {
  test(`a file with ${what} is refused`, async (t) => {
    const error = (await t.throwsAsync(loadModel(changed(twoLayers('model'), change)), { message })) as FerrographError
    t.regex(String(error.code), /^(FILE|CONFIG|SHAPE|DATA)/)
  })
}

test('a file cut off anywhere is refused, and a whole one is not', async (t) => {
  const bytes = bytesOf(twoLayers('model'))
  for (let length = 0; length < bytes.length; length += 97) {
    await t.throwsAsync(loadModel(bytes.subarray(0, length)), { instanceOf: FileError }, `${length} of ${bytes.length} bytes`)
  }
  t.is((await loadModel(bytes)).countParams(), 23)
})

test('weights that do not fit leave the model as it was, unless mismatches are to be skipped', async (t) => {
  const input = Input({ shape: [4], name: 'in' })
  const hidden = layers.Dense({ units: 3, activation: 'relu', name: 'hidden' })(input)
  const wider = Model({ inputs: input, outputs: layers.Dense({ units: 5, name: 'out' })(hidden) })
  const path = join(folder, 'narrow.weights.h5')
  const model = twoLayers('narrow')
  await model.saveWeights(path)
  const before = wider.getWeights().map((w) => [...w.data])
  await t.throwsAsync(wider.loadWeights(path), { code: 'FILE_MISMATCH' })
  t.deepEqual(wider.getWeights().map((w) => [...w.data]), before)
  await wider.loadWeights(path, { skipMismatch: true })
  t.deepEqual([...(wider.getWeights()[0] as Tensor).data], [...(model.getWeights()[0] as Tensor).data])
})

test('bytes that are no file at all', async (t) => {
  writeFileSync(join(folder, 'none.keras'), Buffer.alloc(1000, 7))
  await t.throwsAsync(loadModel(join(folder, 'none.keras')), { instanceOf: FileError })
})
