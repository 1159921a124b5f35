import test from 'ava'
import { ConfigError, losses, ops, tensor, type SymbolicTensor } from '../../ts/index.ts'
import { getLoss } from '../../ts/losses/loss.ts'

test('names are taken as Keras writes them, in camelCase and as class names', (t) => {
  for (const name of ['binary_crossentropy', 'binaryCrossentropy', 'BinaryCrossentropy', 'bce', 'BCE']) {
    t.true(getLoss(name) instanceof losses.BinaryCrossentropy, name)
  }
  for (const name of ['mse', 'MSE', 'meanSquaredError', 'mean_squared_error'])
    t.true(getLoss(name) instanceof losses.MeanSquaredError, name)
  for (const name of ['kld', 'kl_divergence', 'klDivergence', 'KLDivergence'])
    t.true(getLoss(name) instanceof losses.KLDivergence, name)
})

test('a name that means nothing is answered with those that do', (t) => {
  const error = t.throws(() => getLoss('mean_squared_eror'), { instanceOf: ConfigError })
  t.regex(error.message, /expected a loss: a name \(.*mean_squared_error.*Received: 'mean_squared_eror'/)
  t.throws(() => getLoss(7 as never), { instanceOf: ConfigError, message: /expected a loss/ })
})

test('a function gives the values of the samples', (t) => {
  const loss = getLoss(function cubic(yTrue: SymbolicTensor, yPred: SymbolicTensor) {
    return ops.mean(ops.power(ops.abs(ops.subtract(yTrue, yPred)), 3), { axis: -1 })
  })
  t.is(loss.name, 'cubic')
  t.is(loss([[0, 0]], [[1, 2]]).item(), 4.5)
})

test('a class of the user’s extends Loss', (t) => {
  class Halved extends losses.Loss {
    override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
      return ops.multiply(ops.sum(ops.subtract(yTrue, yPred), { axis: -1 }), 0.5)
    }
  }
  const loss = new Halved({ reduction: 'sum' })
  t.is(loss.name, 'halved')
  t.is(loss([[3], [5]], [[1], [1]]).item(), 3)
  t.throws(() => new Halved({ reduction: 'average' as never }), {
    instanceOf: ConfigError,
    message: /'reduction' must be/,
  })
})

test('options are checked', (t) => {
  t.throws(() => losses.BinaryCrossentropy({ fromLogit: true } as never), {
    instanceOf: ConfigError,
    message: /unknown option 'fromLogit'/,
  })
  t.throws(() => losses.BinaryCrossentropy({ labelSmoothing: 2 }), {
    instanceOf: ConfigError,
    message: /'labelSmoothing' must be a finite number in 0\.\.1/,
  })
  t.is(losses.MeanSquaredError({ reduction: 'sumOverBatchSize' }).config.reduction, 'sum_over_batch_size')
})

test('weights of a lower rank belong to the leading axes', (t) => {
  // Keras would broadcast [2] along the last axis of values [2, 2]; here the weights are those of the samples.
  const loss = getLoss('mae')
  const yTrue = tensor(new Float32Array(8), [2, 2, 2])
  const yPred = tensor(Float32Array.from([1, 1, 2, 2, 3, 3, 4, 4]), [2, 2, 2])
  t.is(loss(yTrue, yPred, tensor(Float32Array.from([1, 0]))).item(), 0.75)
})

test('fromConfig makes again what getConfig describes', (t) => {
  const loss = losses.Huber({ delta: 2, reduction: 'none', name: 'mine' })
  t.deepEqual(losses.Huber.fromConfig(loss.getConfig()).getConfig(), loss.getConfig())
})
