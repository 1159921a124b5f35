import test from 'ava'
import {
  DataError,
  Input,
  layers,
  Model,
  optimizers,
  setRandomSeed,
  tensor,
  type Structure,
  type SymbolicTensor,
  type Tensor,
} from '../../ts/index.ts'
import type { Batch, InputData, TargetData } from '../../ts/training/data/types.ts'
import type { FitData } from '../../ts/training/fit.ts'

function siamese(): Model {
  const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [1], name: 'b' })]
  const joined = layers.Concatenate()([a, b])
  const model = Model({
    inputs: [a, b],
    outputs: layers.Dense({ units: 1, name: 'out', kernelInitializer: 'ones' })(joined),
  })
  model.compile({ optimizer: optimizers.SGD({ learningRate: 0.05 }), loss: 'mse', metrics: ['mae'] })
  return model
}

const rows = 10
const left = Float32Array.from({ length: rows * 2 }, (_, i) => Math.sin(i))
const right = Float32Array.from({ length: rows }, (_, i) => Math.cos(i))
const goal = Float32Array.from({ length: rows }, (_, i) => i / rows)
const nested = (data: Float32Array, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)))
const part = (i: number): { a: object; b: object; y: object } => ({
  a: { data: left.subarray(i * 8, Math.min(20, (i + 1) * 8)), shape: [Math.min(4, rows - i * 4), 2] },
  b: { data: right.subarray(i * 4, (i + 1) * 4), shape: [Math.min(4, rows - i * 4), 1] },
  y: { data: goal.subarray(i * 4, (i + 1) * 4), shape: [Math.min(4, rows - i * 4), 1] },
})

async function history(x: FitData, y?: TargetData): Promise<unknown> {
  const result = await siamese().fit(x as InputData, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 })
  return result.history
}

test('lists, objects, typed arrays, nested arrays, tensors and iterables give one history', async (t) => {
  const expected = await history([{ data: left, shape: [rows, 2] }, right], goal)
  const forms: Record<string, [FitData, TargetData?]> = {
    object: [{ a: { data: left, shape: [rows, 2] }, b: right }, goal],
    'object of targets': [[tensor(left, [rows, 2]), tensor(right)], { out: goal }],
    'nested arrays': [[nested(left, 2), nested(right, 1)], nested(goal, 1)],
    tensors: [{ b: tensor(right, [rows, 1]), a: tensor(left, [rows, 2]) }, tensor(goal, [rows, 1])],
    'float64 and dims': [
      [{ data: Float64Array.from(left), dims: [rows, 2] }, Float64Array.from(right) as never],
      Float64Array.from(goal) as never,
    ],
    'a trailing 1 too many': [[tensor(left, [rows, 2, 1]), tensor(right, [rows, 1])], goal],
    'an array of batches made anew': [batches],
    'an async generator': [
      async function* () {
        for (const batch of batches()) {
          await Promise.resolve()
          yield batch
        }
      },
    ],
    'an iterable': [{ [Symbol.iterator]: batches }],
  }
  for (const [name, [x, y]] of Object.entries(forms)) t.deepEqual(await history(x, y), expected, name)
})

function* batches(): Generator<Batch> {
  for (let i = 0; i < 3; i++) {
    const { a, b, y } = part(i)
    yield [{ a, b } as InputData, y as TargetData]
  }
}

test('mistakes in data name the input', async (t) => {
  const model = siamese()
  const fit = (x: unknown, y: unknown = goal, options = {}): Promise<unknown> =>
    model.fit(x as InputData, y as TargetData, { verbose: 0, ...options })
  const a = tensor(left, [rows, 2])
  const cases: readonly [() => Promise<unknown>, RegExp][] = [
    [() => fit({ a }), /missing data for input 'b'; received the keys 'a'; expected 'a', 'b'/],
    [() => fit([a]), /expected data for 2 inputs, received a list of 1/],
    [() => fit(a), /expected data for 2 inputs, received one value/],
    [() => fit([a, tensor(left, [rows, 2])]), /input 'b': expected shape \[null, 1\], received \[10, 2\]/],
    [() => fit([left, right]), /input 'a': expected shape \[null, 2\], received \[20\]; give \{ data, shape \}/],
    [() => fit([a, right.subarray(0, 4)]), /the number of samples is ambiguous: .* x: 10, 4; y: 10/],
    [() => fit([a, right], goal.subarray(0, 9)), /ambiguous: .* x: 10, 10; y: 9/],
    [() => fit([a, 'text']), /expected numbers for input 'b', received 'text'/],
    [() => fit([a, right], null), /expected targets, received none; output 'out' has a loss/],
    [() => fit([a, [[1], [2, 3]]]), /input 'b': .*one length/],
    [() => fit([a, { data: right, shape: [5, 1] }]), /input 'b': expected 5 elements for shape \[5, 1\], received 10/],
    [() => fit([a, 3]), /input 'b': expected shape \[null, 1\], received \[\]/],
    [() => fit(undefined), /expected data for the inputs, received undefined/],
    [() => fit([tensor([], [0, 2]), tensor([], [0, 1])], tensor([], [0, 1])), /expected at least one sample/],
    [
      () => fit([a, right], goal, { validationSplit: 0.99 }),
      /a validationSplit of 0.99 leaves nothing to train with of 10 samples/,
    ],
    [() => fit([a, right], goal, { sampleWeight: [1, 2] }), /ambiguous: .* sampleWeight: 2/],
    [
      () => fit(batchesOf([{ a, b: right }, goal, null, 1]), null),
      /expected batches \[x\], \[x, y\] or \[x, y, sampleWeight\]/,
    ],
    [() => fit(batchesOf(7), null), /expected batches .* received 7/],
  ]
  for (const [run, message] of cases) await t.throwsAsync(run, { instanceOf: DataError, message }, String(message))
})

function batchesOf(...list: unknown[]): () => Iterable<Batch> {
  return () => list as Batch[]
}

test('arrays whose memory was transferred away are refused', async (t) => {
  const gone = new Float32Array(10)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  const model = siamese()
  await t.throwsAsync(model.predict([tensor(left, [rows, 2]), gone]), {
    instanceOf: DataError,
    message: /input 'b': .*transferred away/,
  })
  const later = new Float32Array(10)
  const run = model.evaluate([tensor(left, [rows, 2]), later], goal, {
    batchSize: 5,
    verbose: 0,
    callbacks: {
      onTestBatchEnd: () =>
        void (later.byteLength > 0 && structuredClone(later.buffer, { transfer: [later.buffer] })),
    },
  })
  await t.throwsAsync(run, { instanceOf: DataError, message: /input 'b': expected the data to stay/ })
})

test('NaN is data like any other', async (t) => {
  const { history } = await siamese().fit([tensor(new Float32Array(4).fill(NaN), [2, 2]), [1, 2]], [1, 2], {
    verbose: 0,
  })
  t.deepEqual(history['loss'], [NaN])
})

test('data is cast to the type of its input', async (t) => {
  const ids = Input({ shape: [2], dtype: 'int32' })
  const model = Model({
    inputs: ids,
    outputs: layers.Embedding({ inputDim: 3, outputDim: 2, embeddingsInitializer: 'ones' })(ids),
  })
  t.deepEqual(
    [
      ...(
        await model.predict([
          [0, 1],
          [2, 2],
        ])
      ).shape,
    ],
    [2, 2, 2],
  )
  await t.throwsAsync(model.predict([[0, 3]]), { code: 'DATA', message: /3/ })
})

test('a model for batches of one size says so', async (t) => {
  const input = Input({ batchShape: [4, 2], name: 'pairs' })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 1 })(input) })
  t.deepEqual([...(await model.predict(tensor(left.subarray(0, 16), [8, 2]), { batchSize: 4 })).shape], [8, 1])
  await t.throwsAsync(model.predict(tensor(left, [rows, 2]), { batchSize: 4 }), {
    instanceOf: DataError,
    message: /input 'pairs': expected batches of 4 samples, received one of 2/,
  })
})

test('inputs without names are reached by the names of their layers', async (t) => {
  const [a, b] = [Input({ shape: [1] }), Input({ shape: [1] })]
  const model = Model({ inputs: [a, b], outputs: layers.Subtract()([a, b]) })
  t.deepEqual((await model.predict({ [b.name]: [1], [a.name]: [5] })).toArray(), [[4]])
})

test('an iterable that is used up says so', async (t) => {
  const model = siamese()
  const once = batches()
  await t.throwsAsync(model.fit(once, { epochs: 2, verbose: 0 }), {
    instanceOf: DataError,
    message: /must be given as a function that makes it/,
  })
})

test('a generator is closed when training ends early', async (t) => {
  let closed = false
  const model = siamese()
  await model.fit(
    function* () {
      try {
        for (;;) yield* batches()
      } finally {
        closed = true
      }
    },
    { stepsPerEpoch: 2, epochs: 2, verbose: 0 },
  )
  t.true(closed)
})

test('steps per epoch go on where the epoch before stopped', async (t) => {
  const seen: number[] = []
  const input = Input({ shape: [1] })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 1 })(input) })
  model.compile({ loss: 'mse' })
  const make = function* (): Generator<Batch> {
    for (let i = 0; i < 5; i++) {
      seen.push(i)
      yield [[i], [i]]
    }
  }
  await model.fit(make, { stepsPerEpoch: 2, epochs: 2, verbose: 0 })
  t.deepEqual(seen, [0, 1, 2, 3])
})

test('mixing is repeatable, complete and new in each epoch', async (t) => {
  const input = Input({ shape: [1] })
  const order = async (shuffle: boolean | 'batch'): Promise<number[]> => {
    setRandomSeed(7)
    const seen: number[] = []
    const trained = Model({ inputs: input, outputs: layers.Dense({ units: 1, kernelInitializer: 'ones' })(input) })
    trained.compile({
      optimizer: optimizers.SGD({ learningRate: 0 }),
      loss: (_: SymbolicTensor, p: SymbolicTensor) => p,
    })
    await trained.fit([0, 1, 2, 3, 4, 5, 6, 7], new Float32Array(8), {
      batchSize: 1,
      epochs: 2,
      shuffle,
      verbose: 0,
      callbacks: {
        onTrainBegin: () => void seen.splice(0),
        onTrainBatchEnd: (_, { loss }) => void seen.push(loss as number),
      },
    })
    // The loss is the mean so far of the epoch, so differences of sums give the samples back.
    return seen.map(
      (mean, i) => Math.round(mean * ((i % 8) + 1) - (i % 8 === 0 ? 0 : (seen[i - 1] as number) * (i % 8))) + 0,
    )
  }
  t.deepEqual(await order(false), [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7])
  const mixed = await order(true)
  t.deepEqual(await order(true), mixed)
  const [first, second] = [mixed.slice(0, 8), mixed.slice(8)]
  t.notDeepEqual(first, second)
  for (const epoch of [first, second]) t.deepEqual([...epoch].sort(), [0, 1, 2, 3, 4, 5, 6, 7])
})

test('batches of predictions are joined, arrays without rows give outputs without rows', async (t) => {
  const model = siamese()
  const x: Structure<Tensor> = [tensor(left, [rows, 2]), tensor(right, [rows, 1])]
  const whole = await model.predict(x)
  t.deepEqual([...(await model.predict(x, { batchSize: 3 })).data], [...whole.data])
  t.deepEqual([...model.predictSync(x, { batchSize: 4 }).data], [...whole.data])
  t.deepEqual([...(await model.predictOnBatch(x)).data], [...whole.data])
  t.deepEqual([...(await model.predict(batches)).data], [...whole.data])
  t.deepEqual([...(await model.predict([tensor([], [0, 2]), tensor([], [0, 1])])).shape], [0, 1])
  t.deepEqual([...model.predictSync([tensor([], [0, 2]), tensor([], [0, 1])]).shape], [0, 1])
})

test("the caller's tensors are not disposed", async (t) => {
  const model = siamese()
  const x = [tensor(left, [rows, 2]), tensor(right, [rows, 1])]
  await model.predict(x)
  await model.fit(x, tensor(goal, [rows, 1]), { batchSize: 20, shuffle: false, verbose: 0 })
  t.is(x[0]?.data.length, 20)
})
