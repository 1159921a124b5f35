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
  schedules,
  type SymbolicTensor,
} from '../../ts/index.ts'
import { parsePython, stringifyPython } from '../../ts/core/python-json.ts'

function small(): Model {
  const x = Input({ shape: [2] })
  return Model({ inputs: x, outputs: layers.Dense({ units: 1, kernelInitializer: 'ones' })(x) })
}

/** What a file would hold. */
function filed(model: Model): Record<string, unknown> {
  return parsePython(stringifyPython(model.trainer.compileConfig()), 'test') as Record<string, unknown>
}

test('everything that compile takes comes back from a file', async (t) => {
  const model = small()
  model.compile({
    optimizer: optimizers.SGD({
      learningRate: schedules.CosineDecay({ initialLearningRate: 0.5, decaySteps: 10 }),
      momentum: 0.5,
      globalClipnorm: 2,
    }),
    loss: losses.Huber({ delta: 0.5 }),
    lossWeights: 2,
    metrics: ['meanAbsoluteError', metrics.BinaryAccuracy({ threshold: 0.25 })],
    weightedMetrics: ['mse'],
  })
  const config = filed(model)
  t.is(stringifyPython(model.trainer.compileConfig()?.['loss_weights']), '2.0')
  t.deepEqual((config['metrics'] as unknown[])[0], 'mean_absolute_error')
  const again = small()
  again.trainer.compileFromConfig(config)
  t.deepEqual(filed(again), config)
  t.is(again.trainer.optimizer?.variables.length, 3)
  const data = [
    [
      [1, 2],
      [3, 4],
    ],
    [1, 0],
  ] as const
  const [a, b] = [await model.fit(...data, { verbose: 0 }), await again.fit(...data, { verbose: 0 })]
  // The name of the metric in the file is Keras's.
  t.deepEqual(Object.values(a.history), Object.values(b.history))
})

test('functions and classes of the user’s are found by name among the custom objects', async (t) => {
  const tilted = (yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor =>
    ops.mean(ops.abs(ops.subtract(ops.multiply(yTrue, 2), yPred)), { axis: -1 })
  class Doubled extends metrics.MeanSquaredError {
    override result(): SymbolicTensor {
      return ops.multiply(super.result(), 2)
    }
  }
  const model = small()
  model.compile({ loss: tilted, metrics: [new Doubled({ name: 'doubled' })] })
  const config = filed(model)
  t.like(config['loss'], { class_name: 'function', config: 'tilted' })
  t.like((config['metrics'] as unknown[])[0], { class_name: 'Doubled', registered_name: 'Doubled' })
  const again = small()
  again.trainer.compileFromConfig(config, { tilted, Doubled })
  const scores = await again.evaluate([[1, 1]], [1], { verbose: 0 })
  t.deepEqual(scores, { doubled: 2, loss: 0 })
  t.throws(() => small().trainer.compileFromConfig(config), {
    instanceOf: ConfigError,
    message: /expected the function 'tilted' of the file among the custom objects/,
  })
})

test('an optimizer that is not known is named', (t) => {
  const config = { optimizer: { module: 'keras.optimizers', class_name: 'Lion', config: {} }, loss: 'mse' }
  t.throws(() => small().trainer.compileFromConfig(config), {
    instanceOf: ConfigError,
    message: /unknown optimizer 'Lion'/,
  })
})

test('nothing was compiled, nothing is written', (t) => {
  t.is(small().trainer.compileConfig(), undefined)
})
