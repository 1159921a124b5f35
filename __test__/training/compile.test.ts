import test from 'ava'
import {
  ConfigError,
  Input,
  layers,
  losses,
  metrics,
  Model,
  ops,
  optimizers,
  StateError,
  type Structure,
  type SymbolicTensor,
} from '../../ts/index.ts'
import { Trace } from '../../ts/native/trace.ts'
import { targetForm } from '../../ts/training/binary-or-sparse.ts'
import { golden } from '../helpers/golden.ts'

interface Selection {
  readonly kind: string
  readonly identifier: string
  readonly y_true_shape: readonly (number | null)[]
  readonly y_pred_shape: readonly (number | null)[]
  readonly function: string
}

test("what 'accuracy' and 'crossentropy' stand for follows from the shapes as in Keras", (t) => {
  for (const c of golden<Selection[]>('compile_selection.json')) {
    const trace = new Trace('selection')
    const form = targetForm(trace.input(c.y_true_shape, 'float32'), trace.input(c.y_pred_shape, 'float32'))
    t.is(
      form,
      c.function.startsWith('binary') ? 'binary' : c.function.startsWith('sparse') ? 'sparse' : 'categorical',
      JSON.stringify(c),
    )
  }
})

function twoHeads(outputs: 'object' | 'list'): Model {
  const x = Input({ shape: [3], name: 'x' })
  // In this order the sorted names differ from the declared order.
  const priority = layers.Dense({ units: 1, name: 'priority', kernelInitializer: 'ones' })(x)
  const department = layers.Dense({ units: 2, name: 'department', kernelInitializer: 'ones' })(x)
  return Model({
    inputs: x,
    outputs: (outputs === 'object' ? { priority, department } : [priority, department]) as Structure<SymbolicTensor>,
  })
}

const x = [
  [1, 2, 3],
  [0, 1, 0],
]
const y = {
  priority: [[0], [1]],
  department: [
    [1, 0],
    [0, 1],
  ],
}

for (const outputs of ['object', 'list'] as const) {
  test(`a list of losses pairs with the declared order of outputs given as ${outputs}`, async (t) => {
    const given = twoHeads(outputs)
    given.compile({ loss: ['mse', 'mae'], lossWeights: [1, 0.5] })
    const named = twoHeads(outputs)
    named.compile({ loss: { department: 'mae', priority: 'mse' }, lossWeights: { department: 0.5, priority: 1 } })
    const [a, b] = [await given.evaluate(x, y, { verbose: 0 }), await named.evaluate(x, y, { verbose: 0 })]
    t.deepEqual(a, b)
    // priority: (6 - 0)^2 and (1 - 1)^2; department: |6 - 1|, |6 - 0|, |1 - 0|, |1 - 1|
    t.deepEqual(a, { department_loss: 3, loss: 18 + 0.5 * 3, priority_loss: 18 })
    t.deepEqual(await given.evaluate(x, [y.priority, y.department], { verbose: 0 }), a)
  })
}

test('lists are written to files by name, because Keras pairs them in sorted order', (t) => {
  const model = twoHeads('object')
  model.compile({ loss: ['mse', 'mae'], metrics: [['mae'], null] })
  const { loss, metrics: written } = model.trainer.compileConfig() as { loss: unknown; metrics: unknown }
  t.deepEqual(loss, { priority: 'mse', department: 'mae' })
  t.deepEqual(written, { priority: ['mae'], department: null })
})

test('one loss serves all outputs, null leaves one out', async (t) => {
  const model = twoHeads('object')
  model.compile({ loss: 'mse' })
  t.is((await model.evaluate(x, y, { verbose: 0 }))['loss'], 18 + 15.5)
  model.compile({ loss: { priority: 'mse', department: null } })
  t.deepEqual(await model.evaluate(x, { priority: y.priority }, { verbose: 0 }), { loss: 18 })
  t.deepEqual(await model.evaluate(x, [y.priority], { verbose: 0 }), { loss: 18 })
})

test('every mistake is answered where it is made', (t) => {
  const model = twoHeads('object')
  const cases: readonly [object, RegExp][] = [
    [
      { loss: { priority: 'mse', zz: 'mse' } },
      /expected the keys \['priority', 'department'\] in 'loss', received \['priority', 'zz'\]/,
    ],
    [{ loss: { priority: 'mse' } }, /expected the keys .* received \['priority'\]; null leaves an output out/],
    [
      { loss: ['mse'] },
      /expected one entry in 'loss' for each of the outputs \['priority', 'department'\], received 1/,
    ],
    [{ loss: 'msee' }, /expected a loss: a name/],
    [{ loss: 'mse', metrics: ['mae'] }, /expected one entry in 'metrics' for each of the outputs/],
    [{ loss: 'mse', metrics: { zz: 'mae' } }, /expected the keys .* in 'metrics', received \['zz'\]/],
    [{ loss: 'mse', metrics: 'mae' }, /'metrics' must be an array, or an object by output. Received: 'mae'/],
    [{ loss: 'mse', lossWeights: [1] }, /expected one entry in 'lossWeights'/],
    [
      { loss: 'mse', lossWeights: { priority: 'a', department: 1 } },
      /'lossWeights' must be a finite number for each output/,
    ],
    [{ loss: 'mse', optimizer: 'adamm' }, /expected an optimizer: a name/],
    [{ losses: 'mse' }, /compile: unknown option 'losses'; expected one of optimizer, loss/],
  ]
  for (const [options, message] of cases)
    t.throws(() => model.compile(options as never), { instanceOf: ConfigError, message }, JSON.stringify(options))
})

test('a failed compile leaves the model as it was', async (t) => {
  const model = twoHeads('object')
  model.compile({ loss: 'mse' })
  const before = await model.evaluate(x, y, { verbose: 0 })
  t.throws(() => model.compile({ loss: 'msee' }))
  t.deepEqual(await model.evaluate(x, y, { verbose: 0 }), before)
})

test('compile comes before fit and evaluate', async (t) => {
  const model = twoHeads('object')
  await t.throwsAsync(model.fit(x, y), { instanceOf: StateError, message: /expected compile to be called before fit/ })
  await t.throwsAsync(model.evaluate(x, y), {
    instanceOf: StateError,
    message: /expected compile to be called before evaluate/,
  })
  await t.throwsAsync(model.trainOnBatch(x, y), { instanceOf: StateError, message: /before trainOnBatch/ })
})

test('a loss that gives no single number is named', async (t) => {
  const model = twoHeads('object')
  model.compile({ loss: losses.MeanSquaredError({ reduction: 'none' }) })
  await t.throwsAsync(model.fit(x, y, { verbose: 0 }), {
    instanceOf: ConfigError,
    message: /loss 'mean_squared_error' of output '\w+': expected one number, received \[null\]/,
  })
})

test('targets of a wrong shape name loss and output', async (t) => {
  const model = twoHeads('object')
  model.compile({ loss: 'mse' })
  await t.throwsAsync(
    model.fit(
      x,
      {
        ...y,
        department: [
          [1, 0, 0],
          [0, 1, 0],
        ],
      },
      { verbose: 0 },
    ),
    {
      code: 'SHAPE',
      message: /loss 'mean_squared_error' of output 'department': .*\[null, 3\].*\[null, 2\]/,
    },
  )
})

test('names of metrics are those of Keras', async (t) => {
  const model = twoHeads('list')
  const wave = (_: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor => ops.mean(yPred, { axis: -1 })
  model.compile({
    loss: 'mse',
    metrics: { priority: ['mae', 'mae', wave], department: metrics.MeanSquaredError({ name: 'square' }) },
    weightedMetrics: [['mae'], ['acc', 'accuracy']],
  })
  t.deepEqual(Object.keys(await model.evaluate(x, y, { verbose: 0 })), [
    'department_acc',
    'department_accuracy',
    'department_loss',
    'department_square',
    'loss',
    'priority_loss',
    'priority_mae',
    'priority_mae_1',
    'priority_wave',
    'priority_weighted_mae',
  ])
})

test('a model without a loss of its own trains with what its layers add', async (t) => {
  class Pull extends layers.Layer {
    override call(inputs: Structure<SymbolicTensor>): Structure<SymbolicTensor> {
      this.addLoss(ops.square(inputs as SymbolicTensor))
      return inputs
    }
  }
  const input = Input({ shape: [2] })
  const model = Model({
    inputs: input,
    outputs: new Pull()(layers.Dense({ units: 1, useBias: false, kernelInitializer: 'ones' })(input)),
  })
  model.compile({ optimizer: optimizers.SGD({ learningRate: 0.1 }) })
  const { history } = await model.fit(
    [
      [1, 1],
      [1, 1],
    ],
    undefined,
    { epochs: 3, verbose: 0 },
  )
  t.is(history['loss']?.[0], 4)
  t.true((history['loss']?.[2] as number) < 1)
  const plain = Model({ inputs: input, outputs: layers.Dense({ units: 1 })(input) })
  plain.compile()
  await t.throwsAsync(plain.fit([[1, 1]], undefined, { verbose: 0 }), {
    instanceOf: StateError,
    message: /expected a loss to train with/,
  })
})
