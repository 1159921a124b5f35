import { createRequire } from 'node:module'
import { join } from 'node:path'
import { adam } from './adam.js'
import { Cannot } from './cannot.js'
import { tfjsNodeFolder } from './tfjs-node-folder.js'

const losses = { categorical_crossentropy: 'categoricalCrossentropy', binary_crossentropy: 'binaryCrossentropy' }

/**
 * TensorFlow.js layers on the plain JavaScript or the WebAssembly backend, which have one thread in Node.js, or on
 * tfjs-node with a set number of threads.
 */
export async function openTfjs(network, { loss }, { backend, threads }) {
  // The first two advertise the third in a banner.
  console.warn = () => {}
  const tf = backend === 'tensorflow' ? await nativeTfjs(threads) : await portableTfjs()
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs: backend ${backend} does not start`)
  const model = build(tf, network)
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

async function portableTfjs() {
  const tf = await import('@tensorflow/tfjs')
  await import('@tensorflow/tfjs-backend-wasm')
  return tf
}

function nativeTfjs(threads) {
  process.env.TF_NUM_INTRAOP_THREADS = String(threads)
  process.env.TF_CPP_MIN_LOG_LEVEL = '3'
  return createRequire(join(tfjsNodeFolder, 'package.json'))('@tensorflow/tfjs-node')
}

function build(tf, network) {
  const makers = makersOf(tf)
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

function makersOf({ layers }) {
  return {
    dense: layers.dense,
    conv2d: layers.conv2d,
    depthwiseConv2d: layers.depthwiseConv2d,
    batchNormalization: layers.batchNormalization,
    maxPooling2d: layers.maxPooling2d,
    globalAveragePooling2d: layers.globalAveragePooling2d,
    zeroPadding2d: layers.zeroPadding2d,
    flatten: layers.flatten,
    add: layers.add,
    concatenate: layers.concatenate,
    relu: layers.reLU,
    embedding: layers.embedding,
    // tfjs's default is hardSigmoid, Keras's sigmoid; its orthogonal initializer is slow, and the values are replaced.
    lstm: (options) => layers.lstm({ ...options, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros' }),
  }
}
