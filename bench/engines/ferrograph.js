import { Input, Model, layers, optimizers, setThreads, tensor } from '../../dist/index.js'
import { adam } from './adam.js'

/**
 * Ferrograph with a set number of threads. `asynchronous` predicts with the promise that leaves the event loop free
 * instead of on the calling thread.
 */
export async function openFerrograph(network, { loss }, { threads, asynchronous }) {
  setThreads(threads)
  const model = build(network)
  if (loss !== undefined) model.compile({ optimizer: optimizers.Adam(adam), loss })
  return {
    predict(data, batch) {
      const x = network.inputs.map(({ shape }, i) => ({ data: data[i], shape: [batch, ...shape] }))
      if (!asynchronous) return taken(model.predictSync(x, { batchSize: batch }))
      return model.predict(x, { batchSize: batch, verbose: 0 }).then(taken)
    },
    trainOnBatch(data, targets, batch) {
      const x = network.inputs.map(({ shape }, i) => ({ data: data[i], shape: [batch, ...shape] }))
      const y = network.outputs.map(({ shape }, i) => ({ data: targets[i], shape: [batch, ...shape] }))
      return model.trainOnBatch(x, y)
    },
  }
}

function taken(outputs) {
  return outputs.map((output) => {
    const { data } = output
    output.dispose()
    return data
  })
}

/** The network with its weights as a model; inputs and outputs are lists. */
export function build(network) {
  const inputs = network.inputs.map(({ name, shape, dtype }) => Input({ name, shape, dtype }))
  const values = new Map(network.inputs.map(({ name }, i) => [name, inputs[i]]))
  for (const step of network.steps) {
    const layer = makers[step.kind]({ ...step.options, name: step.name })
    const operands = step.inputs.map((name) => values.get(name))
    values.set(step.name, layer(operands.length === 1 ? operands[0] : operands))
    layer.setWeights(step.weights.map(({ data, shape }) => tensor(data, shape)))
  }
  return Model({ inputs, outputs: network.outputs.map(({ name }) => values.get(name)), name: network.name })
}

const makers = {
  dense: layers.Dense,
  conv2d: layers.Conv2D,
  depthwiseConv2d: layers.DepthwiseConv2D,
  batchNormalization: layers.BatchNormalization,
  maxPooling2d: layers.MaxPooling2D,
  globalAveragePooling2d: layers.GlobalAveragePooling2D,
  zeroPadding2d: layers.ZeroPadding2D,
  flatten: layers.Flatten,
  add: layers.Add,
  concatenate: layers.Concatenate,
  relu: layers.ReLU,
  embedding: layers.Embedding,
  lstm: layers.LSTM,
}
