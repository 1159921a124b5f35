import { seededRandom, seedOf } from './random.js'

/**
 * Records a network as a list of steps that every engine translates into its own form, with weights that depend on
 * nothing but the names. Shapes are without the batch axis, images are height x width x channels, and options, weights
 * and their order are those of the Keras layer of the same name.
 *
 * An input is `{ name, shape, dtype, high }`, a step `{ kind, name, inputs: [name], options, shape, weights: [{ name,
 * shape, data }] }`, an output `{ name, shape }` with the name of a step.
 */
export class Network {
  inputs = []
  /** In the order of computation. */
  steps = []
  #shapes = new Map()

  #gain

  /**
   * `define(net)` calls the methods below and returns the name of the output, or an array of several. `gain` widens the
   * kernels of convolutions: in a deep network without it the input fades on its way to the output.
   */
  constructor(name, define, { gain = 1 } = {}) {
    this.name = name
    this.#gain = gain
    const outputs = [define(this)].flat()
    this.outputs = outputs.map((output) => ({ name: output, shape: this.#shapes.get(output) }))
  }

  /** `dtype` is 'float32', or 'int32' with `high`, the number of different values. */
  input(shape, { name = 'input', dtype = 'float32', high } = {}) {
    this.inputs.push({ name, shape, dtype, high })
    this.#shapes.set(name, shape)
    return name
  }

  /** `options`: units, activation. */
  dense(x, options) {
    const width = this.#shapes.get(x).at(-1)
    const { units } = options
    return this.#step('dense', [x], options, [units], [kernel([width, units], width), bias(units)])
  }

  /** `options`: filters, kernelSize, strides, padding, activation, useBias. */
  conv2d(x, given) {
    const options = { strides: 1, padding: 'valid', useBias: true, ...given }
    const { filters, kernelSize: k, strides, padding, useBias } = options
    const [height, width, channels] = this.#shapes.get(x)
    const extent = (n) => Math.ceil((padding === 'same' ? n : n - k + 1) / strides)
    const fanIn = k * k * channels
    const weights = [kernel([k, k, channels, filters], fanIn, this.#gain), ...(useBias ? [bias(filters)] : [])]
    return this.#step('conv2d', [x], options, [extent(height), extent(width), filters], weights)
  }

  /** One filter per channel; `options`: kernelSize, strides, padding, useBias. */
  depthwiseConv2d(x, given) {
    const options = { strides: 1, padding: 'valid', useBias: true, ...given }
    const { kernelSize: k, strides, padding, useBias } = options
    const [height, width, channels] = this.#shapes.get(x)
    const extent = (n) => Math.ceil((padding === 'same' ? n : n - k + 1) / strides)
    const weights = [kernel([k, k, channels, 1], k * k, this.#gain), ...(useBias ? [bias(channels)] : [])]
    return this.#step('depthwiseConv2d', [x], options, [extent(height), extent(width), channels], weights)
  }

  /** `options`: epsilon. */
  batchNormalization(x, given = {}) {
    const options = { epsilon: 1e-3, ...given }
    const shape = this.#shapes.get(x)
    const n = shape.at(-1)
    const around = (name, low, high) => ({ name, shape: [n], low, high })
    const weights = [
      around('gamma', 0.9, 1.1),
      around('beta', -0.05, 0.05),
      around('moving_mean', -0.05, 0.05),
      around('moving_variance', 0.9, 1.1),
    ]
    return this.#step('batchNormalization', [x], options, shape, weights)
  }

  /** `options`: poolSize, strides (the size of the window). */
  maxPooling2d(x, given) {
    const options = { strides: given.poolSize, ...given }
    const [height, width, channels] = this.#shapes.get(x)
    const extent = (n) => Math.floor((n - options.poolSize) / options.strides) + 1
    return this.#step('maxPooling2d', [x], options, [extent(height), extent(width), channels])
  }

  globalAveragePooling2d(x) {
    return this.#step('globalAveragePooling2d', [x], {}, [this.#shapes.get(x).at(-1)])
  }

  /** `options`: padding, `[[top, bottom], [left, right]]`. */
  zeroPadding2d(x, options) {
    const [height, width, channels] = this.#shapes.get(x)
    const [[top, bottom], [left, right]] = options.padding
    return this.#step('zeroPadding2d', [x], options, [top + height + bottom, left + width + right, channels])
  }

  flatten(x) {
    return this.#step('flatten', [x], {}, [elements(this.#shapes.get(x))])
  }

  add(a, b) {
    return this.#step('add', [a, b], {}, this.#shapes.get(a))
  }

  /** Along the last axis. */
  concatenate(inputs) {
    const shapes = inputs.map((name) => this.#shapes.get(name))
    const width = shapes.reduce((sum, shape) => sum + shape.at(-1), 0)
    return this.#step('concatenate', inputs, {}, [...shapes[0].slice(0, -1), width])
  }

  /** `options`: maxValue. */
  relu(x, options = {}) {
    return this.#step('relu', [x], options, this.#shapes.get(x))
  }

  /** `options`: inputDim, outputDim. */
  embedding(x, options) {
    const { inputDim, outputDim } = options
    const table = { name: 'embeddings', shape: [inputDim, outputDim], low: -1, high: 1 }
    return this.#step('embedding', [x], options, [...this.#shapes.get(x), outputDim], [table])
  }

  /** The last output of an LSTM with tanh and sigmoid; `options`: units. */
  lstm(x, options) {
    const width = this.#shapes.get(x).at(-1)
    const { units } = options
    const recurrent = { ...kernel([units, 4 * units], units), name: 'recurrent_kernel' }
    return this.#step('lstm', [x], options, [units], [kernel([width, 4 * units], width), recurrent, bias(4 * units)])
  }

  #step(kind, inputs, options, shape, weights = []) {
    const name = `${kind}_${this.steps.length}`
    const filled = weights.map((weight) => ({ ...weight, data: fill(`${this.name}/${name}/${weight.name}`, weight) }))
    this.steps.push({ kind, name, inputs, options, shape, weights: filled })
    this.#shapes.set(name, shape)
    return name
  }

  /** Seeded data for `batch` rows, one typed array per input. */
  data(batch) {
    return this.inputs.map(({ name, shape, dtype, high }) => {
      const random = seededRandom(seedOf(`${this.name}/${name}/${batch}`))
      const length = batch * elements(shape)
      if (dtype === 'int32') return Int32Array.from({ length }, () => Math.floor(random() * high))
      return Float32Array.from({ length }, () => random() * 2 - 1)
    })
  }

  /** Seeded targets for `batch` rows, one array per output: one-hot rows, or 0 and 1 where the output is one number. */
  targets(batch) {
    return this.outputs.map(({ name, shape: [classes] }) => {
      const random = seededRandom(seedOf(`${this.name}/${name}/target/${batch}`))
      const targets = new Float32Array(batch * classes)
      for (let row = 0; row < batch; row++) {
        if (classes === 1) targets[row] = random() < 0.5 ? 0 : 1
        else targets[row * classes + Math.floor(random() * classes)] = 1
      }
      return targets
    })
  }
}

/** Variance 1 / fan-in keeps activations near 1, so that differences between engines are not hidden by saturation. */
function kernel(shape, fanIn, gain = 1) {
  const limit = gain * Math.sqrt(3 / fanIn)
  return { name: 'kernel', shape, low: -limit, high: limit }
}

function bias(n) {
  return { name: 'bias', shape: [n], low: -0.05, high: 0.05 }
}

function fill(path, { shape, low, high }) {
  const random = seededRandom(seedOf(path))
  const data = new Float32Array(elements(shape))
  for (let i = 0; i < data.length; i++) data[i] = low + random() * (high - low)
  return data
}

function elements(shape) {
  return shape.reduce((a, b) => a * b, 1)
}
