import test from 'ava'
import { ConfigError, metrics, ops, tensor, type SymbolicTensor } from '../../ts/index.ts'
import { getMetric } from '../../ts/metrics/metric.ts'

test('names are taken as Keras writes them and in camelCase', (t) => {
  for (const name of ['mae', 'mean_absolute_error', 'meanAbsoluteError', 'MeanAbsoluteError'])
    t.true(getMetric(name) instanceof metrics.MeanAbsoluteError, name)
  t.true(getMetric('rootMeanSquaredError') instanceof metrics.RootMeanSquaredError)
  t.throws(() => getMetric('auc?'), { instanceOf: ConfigError, message: /expected a metric/ })
})

test('a function becomes a mean with its name', (t) => {
  const metric = getMetric(function spread(_yTrue: SymbolicTensor, yPred: SymbolicTensor) {
    return ops.max(yPred, { axis: -1 })
  })
  metric.updateState(tensor([[0, 0]]) as never, tensor([[1, 5]]) as never)
  metric.updateState(tensor([[0, 0]]) as never, tensor([[3, 1]]) as never)
  t.is(metric.name, 'spread')
  t.is(metric.value(), 4)
})

test('a class of the user’s keeps its own state', (t) => {
  class Largest extends metrics.Metric {
    largest = this.addVariable('largest')
    override updateState(_yTrue: SymbolicTensor, yPred: SymbolicTensor): void {
      this.largest.assign(ops.maximum(this.largest, ops.max(yPred)))
    }
    override result(): SymbolicTensor {
      return ops.multiply(this.largest, 1)
    }
  }
  const metric = new Largest()
  metric.updateState(tensor([0]) as never, tensor([4, 2]) as never)
  metric.updateState(tensor([0]) as never, tensor([1, 3]) as never)
  t.is(metric.name, 'largest')
  t.is(metric.value(), 4)
  metric.resetState()
  t.is(metric.value(), 0)
})

test('the dtype of files must be one that metrics compute in', (t) => {
  t.throws(() => metrics.Mean({ dtype: 'float16' as never }), {
    instanceOf: ConfigError,
    message: /'dtype' must be 'float32'/,
  })
  t.is(
    getMetric({
      class_name: 'Mean',
      config: { name: 'm', dtype: { class_name: 'DTypePolicy', config: { name: 'float32' } } },
    }).name,
    'm',
  )
})
