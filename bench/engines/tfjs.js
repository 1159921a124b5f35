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
  model.compile({ optimizer: tf.train.adam(adam.learningRate, adam.beta1, adam.beta2, adam.epsilon), loss: losses[loss] })
  return {
    predict(data, batch) {
      const x = tf.tensor(data, [batch, ...network.inputShape], network.dtype)
      const y = model.predictOnBatch(x)
      const result = y.dataSync()
      tf.dispose([x, y])
      return result
    },
    async trainOnBatch(data, targets, batch) {
      const x = tf.tensor(data, [batch, ...network.inputShape], network.dtype)
      const y = tf.tensor(targets, [batch, ...network.outputShape])
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
  const input = tf.input({ shape: network.inputShape, dtype: network.dtype })
  const values = new Map([['input', input]])
  for (const step of network.steps) {
    const layer = makers[step.kind]({ ...step.options, name: step.name })
    const inputs = step.inputs.map((name) => values.get(name))
    values.set(step.name, layer.apply(inputs.length === 1 ? inputs[0] : inputs))
    const weights = step.weights.map(({ data, shape }) => tf.tensor(data, shape))
    layer.setWeights(weights)
    tf.dispose(weights)
  }
  return tf.model({ inputs: input, outputs: values.get(network.output) })
}

const makers = {
  dense: tf.layers.dense,
  conv2d: tf.layers.conv2d,
  batchNormalization: tf.layers.batchNormalization,
  maxPooling2d: tf.layers.maxPooling2d,
  globalAveragePooling2d: tf.layers.globalAveragePooling2d,
  flatten: tf.layers.flatten,
  add: tf.layers.add,
  relu: (options) => tf.layers.activation({ ...options, activation: 'relu' }),
  embedding: tf.layers.embedding,
  // tfjs's default is hardSigmoid, Keras's sigmoid; its orthogonal initializer is slow, and the values are replaced.
  lstm: (options) => tf.layers.lstm({ ...options, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros' }),
}
