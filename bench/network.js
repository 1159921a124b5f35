import { seededRandom, seedOf } from './random.js'

/**
 * Records a network as a list of steps that every engine translates into its own form, with weights that depend on
 * nothing but the names. Shapes are without the batch axis, images are height x width x channels, and options, weights
 * and their order are those of the Keras layer of the same name.
 *
 * A step is `{ kind, name, inputs: [name], options, shape, weights: [{ name, shape, data }] }`.
 */
export class Network {
  /** In the order of computation. */
  steps = []
  #shapes = new Map()

  constructor(name, define) {
    this.name = name
    this.output = define(this)
  }

  /** The one input: `dtype` is 'float32', or 'int32' with `high`, the number of different values. */
  input(shape, { dtype = 'float32', high } = {}) {
    this.inputShape = shape
    this.dtype = dtype
    this.high = high
    this.#shapes.set('input', shape)
    return 'input'
  }

  get outputShape() {
    return this.#shapes.get(this.output)
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
    const weights = [kernel([k, k, channels, filters], k * k * channels), ...(useBias ? [bias(filters)] : [])]
    return this.#step('conv2d', [x], options, [extent(height), extent(width), filters], weights)
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

  /** `options`: poolSize; windows do not overlap. */
  maxPooling2d(x, options) {
    const [height, width, channels] = this.#shapes.get(x)
    const extent = (n) => Math.floor(n / options.poolSize)
    return this.#step('maxPooling2d', [x], options, [extent(height), extent(width), channels])
  }

  globalAveragePooling2d(x) {
    return this.#step('globalAveragePooling2d', [x], {}, [this.#shapes.get(x).at(-1)])
  }

  flatten(x) {
    return this.#step('flatten', [x], {}, [this.#shapes.get(x).reduce((a, b) => a * b, 1)])
  }

  add(a, b) {
    return this.#step('add', [a, b], {}, this.#shapes.get(a))
  }

  relu(x) {
    return this.#step('relu', [x], {}, this.#shapes.get(x))
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

  /** Seeded inputs for `batch` rows. */
  inputs(batch) {
    const random = seededRandom(seedOf(`${this.name}/input/${batch}`))
    const count = batch * this.inputShape.reduce((a, b) => a * b, 1)
    if (this.dtype === 'int32') return Int32Array.from({ length: count }, () => Math.floor(random() * this.high))
    return Float32Array.from({ length: count }, () => random() * 2 - 1)
  }

  /** Seeded targets for `batch` rows: one-hot rows, or 0 and 1 where the output is one number. */
  targets(batch) {
    const random = seededRandom(seedOf(`${this.name}/target/${batch}`))
    const [classes] = this.outputShape
    const targets = new Float32Array(batch * classes)
    for (let row = 0; row < batch; row++) {
      if (classes === 1) targets[row] = random() < 0.5 ? 0 : 1
      else targets[row * classes + Math.floor(random() * classes)] = 1
    }
    return targets
  }
}

/** Variance 1 / fan-in keeps activations near 1, so that differences between engines are not hidden by saturation. */
function kernel(shape, fanIn) {
  const limit = Math.sqrt(3 / fanIn)
  return { name: 'kernel', shape, low: -limit, high: limit }
}

function bias(n) {
  return { name: 'bias', shape: [n], low: -0.05, high: 0.05 }
}

function fill(path, { shape, low, high }) {
  const random = seededRandom(seedOf(path))
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + random() * (high - low))
}
