import test from 'ava'
import { Input, Layer, Model, Sequential, clearSession, cloneModel, layers, modelFromJSON, ops, tensor, type CallContext, type Tensor, type SymbolicTensor } from '../../ts/index.ts'
import { relativeError } from '../helpers/golden.ts'

const data = (rows: number, columns: number): Tensor =>
  tensor(Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 0.7 + 1)), [rows, columns])
const names = (model: Model): string[] => model.operations.map((operation) => operation.name)

test('a model returns what its layers return one after the other', async (t) => {
  const first = layers.Dense({ units: 5, activation: 'relu' })
  const second = layers.Dense({ units: 3, activation: 'tanh' })
  const input = Input({ shape: [4] })
  const model = Model({ inputs: input, outputs: second(first(input)) })
  const x = data(6, 4)
  t.deepEqual([...(await model.predict(x, { verbose: 0 }) as Tensor).data], [...second(first(x)).data])
  t.deepEqual([...model(x).data], [...second(first(x)).data])
})

test("layers come in Keras's order: by distance from the output, then by the first visit", (t) => {
  const make = (order: 'bc' | 'cb'): string[] => {
    const i = Input({ shape: [3], name: 'i' })
    const a = layers.Dense({ units: 3, name: 'a' })(i)
    const b = layers.Dense({ units: 3, name: 'b' })(a)
    const c = layers.Dense({ units: 3, name: 'c' })(i)
    return names(Model({ inputs: i, outputs: layers.Add({ name: 'o' })(order === 'bc' ? [b, c] : [c, b]) }))
  }
  t.deepEqual(make('bc'), ['i', 'a', 'b', 'c', 'o'])
  t.deepEqual(make('cb'), ['i', 'a', 'c', 'b', 'o'])
})

test('inputs and outputs keep their structure, and objects are taken by name', async (t) => {
  const a = Input({ shape: [2], name: 'a' })
  const b = Input({ shape: [2], name: 'b' })
  const model = Model({ inputs: { a, b }, outputs: { sum: layers.Add()([a, b]), both: [a, layers.Subtract()([a, b])] } })
  const [x, y] = [tensor([[1, 2]]), tensor([[10, 20]])]
  const result = (await model.predict({ b: y, a: x }, { verbose: 0 })) as unknown as { sum: Tensor; both: Tensor[] }
  t.deepEqual(result.sum.toArray(), [[11, 22]])
  t.deepEqual(result.both.map((output) => output.toArray()), [[[1, 2]], [[-9, -18]]])
  await t.throwsAsync(async () => model.predict({ a: x } as never, { verbose: 0 }), { code: 'DATA', message: /'b'/ })
})

test('inputs without names are reached by the names of their layers', async (t) => {
  clearSession()
  const [a, b] = [Input({ shape: [1] }), Input({ shape: [1] })]
  const model = Model({ inputs: [a, b], outputs: layers.Subtract()([a, b]) })
  const result = await model.predict({ input_layer: [[5]], input_layer_1: [[3]] } as never, { verbose: 0 })
  t.deepEqual((result as Tensor).toArray(), [[2]])
})

test('a shared layer is one layer with several nodes and one set of weights', (t) => {
  const shared = layers.Dense({ units: 2, name: 'shared' })
  const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
  const model = Model({ inputs: [a, b], outputs: [shared(a), shared(b)] })
  t.is(shared.inboundNodes.length, 2)
  t.is(model.layers.filter((layer) => layer.name === 'shared').length, 1)
  t.is(model.countParams(), 8)
})

test('models nest: the same weights, called twice, inside another model', async (t) => {
  const inner = Input({ shape: [3] })
  const encoder = Model({ inputs: inner, outputs: layers.Dense({ units: 2, activation: 'tanh' })(inner), name: 'encoder' })
  const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
  const outer = Model({ inputs: [a, b], outputs: layers.Add()([encoder(a), encoder(b)]) })
  t.is(outer.countParams(), 8)
  t.deepEqual(outer.weights, encoder.weights)
  const [x, y] = [data(4, 3), data(4, 3)]
  const [p, q] = [encoder(x), encoder(y)]
  t.true(relativeError(((await outer.predict([x, y], { verbose: 0 })) as Tensor).data, (ops.add(p, q) as Tensor).data) < 1e-6)
})

test('ops on symbolic tensors are nodes of the model', async (t) => {
  const x = Input({ shape: [2], name: 'x' })
  const y = ops.add(ops.multiply(x, 2), 1)
  const model = Model({ inputs: x, outputs: y })
  t.is(model.operations.length, 3)
  t.is(model.layers.length, 1)
  t.deepEqual(((await model.predict([[1, 2]], { verbose: 0 })) as Tensor).toArray(), [[3, 5]])
})

test('intermediate results: by layer.output, by getLayer, and from the middle of a model', async (t) => {
  const input = Input({ shape: [4] })
  const hidden = layers.Dense({ units: 3, activation: 'relu', name: 'hidden' })(input)
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 2, name: 'last' })(hidden) })
  const x = data(3, 4)
  const features = Model({ inputs: model.input, outputs: model.getLayer('hidden').output as SymbolicTensor })
  const head = Model({ inputs: model.getLayer('hidden').output as SymbolicTensor, outputs: model.output })
  const whole = (await model.predict(x, { verbose: 0 })) as Tensor
  const parts = (await head.predict((await features.predict(x, { verbose: 0 })) as Tensor, { verbose: 0 })) as Tensor
  t.deepEqual([...parts.data], [...whole.data])
  t.is(head.countParams(), 8)
  t.throws(() => model.getLayer('none'), { code: 'CONFIG', message: /no layer 'none'.*hidden, last/ })
})

test('an input that no output needs is still an input', async (t) => {
  const [a, b] = [Input({ shape: [1], name: 'used' }), Input({ shape: [1], name: 'unused' })]
  const model = Model({ inputs: [a, b], outputs: layers.Activation({ activation: 'relu' })(a) })
  t.true(names(model).includes('unused'))
  t.deepEqual(((await model.predict([[[3]], [[4]]] as never, { verbose: 0 })) as Tensor).toArray(), [[3]])
})

test('a disconnected graph names the missing input and what was reached', (t) => {
  const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name: 'forgotten' })]
  const sum = layers.Add()([layers.Dense({ units: 2, name: 'near' })(a), b])
  t.throws(() => Model({ inputs: a, outputs: sum }), { code: 'CONFIG', message: /'forgotten'.*'near'/ })
})

test('two layers of one name are refused', (t) => {
  const a = Input({ shape: [2] })
  const twice = layers.Dense({ units: 2, name: 'same' })(layers.Dense({ units: 2, name: 'same' })(a))
  t.throws(() => Model({ inputs: a, outputs: twice }), { code: 'CONFIG', message: /'same' is used 2 times/ })
})

test('what is no symbolic tensor is refused where it is given', (t) => {
  t.throws(() => Model({ inputs: 3 as never, outputs: 4 as never }), { code: 'CONFIG', message: /'inputs'/ })
  t.throws(() => Model({ inputs: Input({ shape: [1] }), outputs: [] }), { code: 'CONFIG', message: /'outputs'/ })
})

test('configuration, JSON and clones make the same architecture with new weights', async (t) => {
  const input = Input({ shape: [6], name: 'in' })
  const shared = layers.Dense({ units: 6, activation: 'relu', name: 'shared' })
  const sum = layers.Add({ name: 'sum' })([shared(shared(input)), input])
  const model = Model({ inputs: input, outputs: { out: ops.multiply(sum, 0.5) }, name: 'original' })
  const copies = [Model.fromConfig(model.getConfig()) as Model, modelFromJSON(model.toJSON()), cloneModel(model)]
  const x = data(3, 6)
  const expected = ((await model.predict(x, { verbose: 0 })) as unknown as { out: Tensor }).out
  for (const copy of copies) {
    t.deepEqual(copy.getConfig(), model.getConfig())
    t.not(copy.weights[0], model.weights[0])
    copy.setWeights(model.getWeights())
    t.deepEqual([...((await copy.predict(x, { verbose: 0 })) as unknown as { out: Tensor }).out.data], [...expected.data])
  }
})

test('functional, sequential and subclassed models of one architecture agree', async (t) => {
  class Subclassed extends Model {
    readonly first = layers.Dense({ units: 8, activation: 'relu' })
    readonly last = layers.Dense({ units: 3 })
    override call(x: SymbolicTensor): SymbolicTensor {
      return this.last(this.first(x))
    }
  }
  const input = Input({ shape: [5] })
  const functional = Model({ inputs: input, outputs: layers.Dense({ units: 3 })(layers.Dense({ units: 8, activation: 'relu' })(input)) })
  const sequential = Sequential([layers.Dense({ units: 8, activation: 'relu' }), layers.Dense({ units: 3 })])
  const subclassed = new Subclassed()
  const x = data(4, 5)
  const expected = (await functional.predict(x, { verbose: 0 })) as Tensor
  for (const model of [sequential, subclassed]) {
    model(x)
    t.is(model.countParams(), functional.countParams())
    model.setWeights(functional.getWeights())
    t.deepEqual([...((await model.predict(x, { verbose: 0 })) as Tensor).data], [...expected.data])
  }
})

test('a subclassed layer that holds a model trains and counts its weights', (t) => {
  class Wrapped extends Layer {
    readonly inner: Model
    constructor() {
      super()
      const input = Input({ shape: [3] })
      this.inner = Model({ inputs: input, outputs: layers.Dense({ units: 2 })(input) })
    }
    override call(x: SymbolicTensor): SymbolicTensor {
      return this.inner(x)
    }
  }
  const input = Input({ shape: [3] })
  const model = Model({ inputs: input, outputs: new Wrapped()(input) })
  t.is(model.countParams(), 8)
  t.is(model.trainableWeights.length, 2)
})

test("'training' reaches layers through nested models, and what the caller passes wins", (t) => {
  const seen: (boolean | undefined)[] = []
  class Spy extends Layer {
    override call(x: SymbolicTensor, { training }: CallContext): SymbolicTensor {
      seen.push(training)
      return x
    }
  }
  const inner = Input({ shape: [1] })
  const nested = Model({ inputs: inner, outputs: new Spy({ name: 'spy' })(inner) })
  const outer = Input({ shape: [1] })
  const model = Model({ inputs: outer, outputs: new Spy({ name: 'fixed' })(nested(outer), { training: true }) })
  seen.length = 0
  model(tensor([[1]]))
  model(tensor([[1]]), { training: true })
  t.deepEqual(seen, [false, true, true, true])
})

test('freezing a model freezes the layers inside it', (t) => {
  const input = Input({ shape: [2] })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 2 })(input) })
  model.trainable = false
  t.is(model.trainableWeights.length, 0)
  t.is(model.nonTrainableWeights.length, 2)
})

test('a deep model does not exhaust the stack', async (t) => {
  const input = Input({ shape: [2] })
  let x: SymbolicTensor = input
  for (let i = 0; i < 3000; i++) x = ops.add(x, 1)
  const model = Model({ inputs: input, outputs: x })
  t.deepEqual(((await model.predict([[0, 1]], { verbose: 0 })) as Tensor).toArray(), [[3000, 3001]])
})
