import { GraphWriter } from './graph-writer.js'

/**
 * Writes a network as an ONNX model. Its inputs have the layout of Keras (channels last); one Transpose moves images to
 * channels first, in which all image operators of ONNX work, and another restores the order before Flatten. That is
 * what exporters from Keras write, too.
 *
 * @returns the bytes of the model; its inputs and outputs have the names that they have in the network.
 */
export function toOnnx(network) {
  const graph = new GraphWriter()
  const names = new Map()
  const shapes = new Map()
  for (const { name, shape } of network.inputs) {
    names.set(name, shape.length === 3 ? graph.node('Transpose', [name], { perm: [0, 3, 1, 2] }) : name)
    shapes.set(name, shape)
  }
  for (const step of network.steps) {
    const inputs = step.inputs.map((name) => names.get(name))
    const result = converters[step.kind](graph, inputs, step, shapes.get(step.inputs[0]))
    names.set(step.name, activate(graph, result, step.options.activation))
    shapes.set(step.name, step.shape)
  }
  const outputs = network.outputs.map(({ name, shape }) => ({ name, shape, value: names.get(name), dtype: 'float32' }))
  return graph.finish(network.name, network.inputs, outputs)
}

const converters = {
  dense(graph, [x], { weights: [kernel, bias] }) {
    return graph.node('Gemm', [x, constant(graph, kernel), constant(graph, bias)])
  },

  conv2d(graph, [x], step, extents) {
    const [kernel] = step.weights
    const [rows, columns, channels, filters] = kernel.shape
    const data = permute(kernel.data, kernel.shape, [3, 2, 0, 1])
    return convolution(graph, x, step, extents, graph.constant(data, [filters, channels, rows, columns]), 1)
  },

  depthwiseConv2d(graph, [x], step, extents) {
    const [kernel] = step.weights
    const [rows, columns, channels] = kernel.shape
    const data = permute(kernel.data, kernel.shape, [2, 3, 0, 1])
    return convolution(graph, x, step, extents, graph.constant(data, [channels, 1, rows, columns]), channels)
  },

  batchNormalization(graph, [x], { weights, options }) {
    const operands = weights.map((weight) => constant(graph, weight))
    return graph.node('BatchNormalization', [x, ...operands], { epsilon: { float: options.epsilon } })
  },

  maxPooling2d(graph, [x], { options: { poolSize, strides } }) {
    return graph.node('MaxPool', [x], { kernel_shape: [poolSize, poolSize], strides: [strides, strides] })
  },

  zeroPadding2d(graph, [x], { options: { padding } }) {
    const [[top, bottom], [left, right]] = padding
    const pads = BigInt64Array.from([0, 0, top, left, 0, 0, bottom, right], BigInt)
    return graph.node('Pad', [x, graph.constant(pads, [8])])
  },

  globalAveragePooling2d(graph, [x]) {
    return graph.node('Flatten', [graph.node('GlobalAveragePool', [x])], { axis: 1 })
  },

  flatten(graph, [x], _step, shape) {
    const channelsLast = shape.length === 3 ? graph.node('Transpose', [x], { perm: [0, 2, 3, 1] }) : x
    return graph.node('Flatten', [channelsLast], { axis: 1 })
  },

  add(graph, inputs) {
    return graph.node('Add', inputs)
  },

  concatenate(graph, inputs) {
    return graph.node('Concat', inputs, { axis: -1 })
  },

  relu(graph, [x], { options: { maxValue } }) {
    if (maxValue === undefined) return graph.node('Relu', [x])
    const limits = [0, maxValue].map((limit) => graph.constant(Float32Array.of(limit), []))
    return graph.node('Clip', [x, ...limits])
  },

  embedding(graph, [x], { weights: [table] }) {
    return graph.node('Gather', [constant(graph, table), x], { axis: 0 })
  },

  lstm(graph, [x], { weights: [kernel, recurrent, bias], options: { units } }) {
    const both = new Float32Array(8 * units)
    both.set(reorderGates(bias.data, 1, units))
    const operands = [
      graph.node('Transpose', [x], { perm: [1, 0, 2] }),
      graph.constant(reorderGates(kernel.data, kernel.shape[0], units), [1, 4 * units, kernel.shape[0]]),
      graph.constant(reorderGates(recurrent.data, units, units), [1, 4 * units, units]),
      graph.constant(both, [1, 8 * units]),
    ]
    const last = graph.node('LSTM', operands, { hidden_size: units }, { skipped: 1 })
    return graph.node('Squeeze', [last, graph.constant(BigInt64Array.of(0n), [1])])
  },
}

/** `kernel` is the name of [filters, channels of a group, rows, columns]. */
function convolution(graph, x, { weights: [, bias], options, shape }, [height, width], kernel, group) {
  const { kernelSize: k, strides, padding } = options
  const operands = [x, kernel]
  if (bias) operands.push(constant(graph, bias))
  const missing = [height, width].map((n, axis) => Math.max((shape[axis] - 1) * strides + k - n, 0))
  const before = missing.map((n) => Math.floor(n / 2))
  const pads = padding === 'same' ? [...before, ...missing.map((n, axis) => n - before[axis])] : [0, 0, 0, 0]
  return graph.node('Conv', operands, { kernel_shape: [k, k], strides: [strides, strides], pads, group })
}

function activate(graph, x, activation) {
  if (activation === undefined) return x
  if (activation === 'relu') return graph.node('Relu', [x])
  if (activation === 'sigmoid') return graph.node('Sigmoid', [x])
  if (activation === 'softmax') return graph.node('Softmax', [x], { axis: -1 })
  throw new Error(`toOnnx: expected relu, sigmoid or softmax, received ${activation}`)
}

function constant(graph, { data, shape }) {
  return graph.constant(data, shape)
}

/** Keras holds [input, gates i f c o x units]; ONNX wants [gates i o f c x units, input]. */
function reorderGates(data, rows, units) {
  const result = new Float32Array(data.length)
  const order = [0, 3, 1, 2]
  order.forEach((gate, place) => {
    for (let unit = 0; unit < units; unit++) {
      for (let row = 0; row < rows; row++) {
        result[(place * units + unit) * rows + row] = data[row * 4 * units + gate * units + unit]
      }
    }
  })
  return result
}

/** The elements of an array of four axes with the axes in another order. */
function permute(data, shape, order) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const [n0, n1, n2, n3] = order.map((axis) => shape[axis])
  const [s0, s1, s2, s3] = order.map((axis) => strides[axis])
  const result = new Float32Array(data.length)
  let at = 0
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        for (let i3 = 0; i3 < n3; i3++) result[at++] = data[i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3]
      }
    }
  }
  return result
}
