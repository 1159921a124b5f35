import { Input, Model, layers, optimizers, setThreads, tensor } from '../../dist/index.js'
import { adam } from './adam.js'

/**
 * Ferrograph with a set number of threads. `asynchronous` predicts with the promise that leaves the event loop free
 * instead of on the calling thread.
 */
export async function openFerrograph(network, { loss }, { threads, asynchronous }) {
  setThreads(threads)
  const model = build(network)
  model.compile({ optimizer: optimizers.Adam(adam), loss })
  return {
    predict(data, batch) {
      const x = { data, shape: [batch, ...network.inputShape] }
      if (!asynchronous) return taken(model.predictSync(x, { batchSize: batch }))
      return model.predict(x, { batchSize: batch, verbose: 0 }).then(taken)
    },
    trainOnBatch(data, targets, batch) {
      const x = { data, shape: [batch, ...network.inputShape] }
      const y = { data: targets, shape: [batch, ...network.outputShape] }
      return model.trainOnBatch(x, y)
    },
  }
}

function taken(y) {
  const { data } = y
  y.dispose()
  return data
}

function build(network) {
  const input = Input({ shape: network.inputShape, dtype: network.dtype })
  const values = new Map([['input', input]])
  for (const step of network.steps) {
    const layer = makers[step.kind]({ ...step.options, name: step.name })
    const inputs = step.inputs.map((name) => values.get(name))
    values.set(step.name, layer(inputs.length === 1 ? inputs[0] : inputs))
    layer.setWeights(step.weights.map(({ data, shape }) => tensor(data, shape)))
  }
  return Model({ inputs: input, outputs: values.get(network.output), name: network.name })
}

const makers = {
  dense: layers.Dense,
  conv2d: layers.Conv2D,
  batchNormalization: layers.BatchNormalization,
  maxPooling2d: layers.MaxPooling2D,
  globalAveragePooling2d: layers.GlobalAveragePooling2D,
  flatten: layers.Flatten,
  add: layers.Add,
  relu: layers.ReLU,
  embedding: layers.Embedding,
  lstm: layers.LSTM,
}
