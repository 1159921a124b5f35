import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { adam } from './adam.js'
import { Cannot } from './cannot.js'

const losses = { categorical_crossentropy: 'categoricalCrossentropy', binary_crossentropy: 'binaryCrossentropy' }

/** TensorFlow.js layers on the plain JavaScript or the WebAssembly backend; both have one thread in Node.js. */
export async function openTfjs(network, { loss }, { backend }) {
  // Both backends advertise the native one in a banner.
  console.warn = () => {}
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs: backend ${backend} does not start`)
  const model = build(network)
  if (loss !== undefined) {
    const optimizer = tf.train.adam(adam.learningRate, adam.beta1, adam.beta2, adam.epsilon)
    model.compile({ optimizer, loss: [loss].flat().map((name) => losses[name]) })
  }
  const tensors = (arrays, parts, batch) =>
    parts.map(({ shape, dtype = 'float32' }, i) => tf.tensor(arrays[i], [batch, ...shape], dtype))
  return {
    predict(data, batch) {
      const x = tensors(data, network.inputs, batch)
      const y = [model.predictOnBatch(x)].flat()
      const results = y.map((output) => output.dataSync())
      tf.dispose([x, y])
      return results
    },
    async trainOnBatch(data, targets, batch) {
      const x = tensors(data, network.inputs, batch)
      const y = tensors(targets, network.outputs, batch)
      try {
        return await model.trainOnBatch(x, y)
      } catch (error) {
        if (/^Kernel '\w+' not registered/.test(error.message)) throw new Cannot(error.message)
        throw error
      } finally {
        tf.dispose([x, y])
      }
    },
  }
}

function build(network) {
  const inputs = network.inputs.map(({ name, shape, dtype }) => tf.input({ name, shape, dtype }))
  const values = new Map(network.inputs.map(({ name }, i) => [name, inputs[i]]))
  for (const step of network.steps) {
    const layer = makers[step.kind]({ ...step.options, name: step.name })
    const operands = step.inputs.map((name) => values.get(name))
    values.set(step.name, layer.apply(operands.length === 1 ? operands[0] : operands))
    const weights = step.weights.map(({ data, shape }) => tf.tensor(data, shape))
    layer.setWeights(weights)
    tf.dispose(weights)
  }
  return tf.model({ inputs, outputs: network.outputs.map(({ name }) => values.get(name)) })
}

const makers = {
  dense: tf.layers.dense,
  conv2d: tf.layers.conv2d,
  depthwiseConv2d: tf.layers.depthwiseConv2d,
  batchNormalization: tf.layers.batchNormalization,
  maxPooling2d: tf.layers.maxPooling2d,
  globalAveragePooling2d: tf.layers.globalAveragePooling2d,
  zeroPadding2d: tf.layers.zeroPadding2d,
  flatten: tf.layers.flatten,
  add: tf.layers.add,
  concatenate: tf.layers.concatenate,
  relu: tf.layers.reLU,
  embedding: tf.layers.embedding,
  // tfjs's default is hardSigmoid, Keras's sigmoid; its orthogonal initializer is slow, and the values are replaced.
  lstm: (options) => tf.layers.lstm({ ...options, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros' }),
}
