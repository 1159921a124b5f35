import { GraphWriter } from './graph-writer.js'

/**
 * Writes a network as an ONNX model. Its input has the layout of Keras (channels last); one Transpose moves images to
 * channels first, in which all image operators of ONNX work, and another restores the order before Flatten. That is
 * what exporters from Keras write, too.
 *
 * @returns the bytes of the model; its input is called `input`, its output `output`.
 */
export function toOnnx(network) {
  const graph = new GraphWriter()
  const names = new Map()
  const isImage = network.inputShape.length === 3
  names.set('input', isImage ? graph.node('Transpose', ['input'], { perm: [0, 3, 1, 2] }) : 'input')
  const shapes = new Map([['input', network.inputShape]])
  for (const step of network.steps) {
    const inputs = step.inputs.map((name) => names.get(name))
    const result = converters[step.kind](graph, inputs, step, shapes.get(step.inputs[0]))
    names.set(step.name, activate(graph, result, step.options.activation))
    shapes.set(step.name, step.shape)
  }
  const input = { name: 'input', dtype: network.dtype, shape: network.inputShape }
  const output = { name: 'output', dtype: 'float32', shape: network.outputShape }
  return graph.finish(network.name, input, output, names.get(network.output))
}

const converters = {
  dense(graph, [x], { weights: [kernel, bias] }) {
    return graph.node('Gemm', [x, constant(graph, kernel), constant(graph, bias)])
  },

  conv2d(graph, [x], { weights: [kernel, bias], options, shape }, [height, width]) {
    const { kernelSize: k, strides, padding } = options
    const [rows, columns, channels, filters] = kernel.shape
    const data = permute(kernel.data, [rows, columns, channels, filters], [3, 2, 0, 1])
    const operands = [x, graph.constant(data, [filters, channels, rows, columns])]
    if (bias) operands.push(constant(graph, bias))
    const missing = [height, width].map((n, axis) => Math.max((shape[axis] - 1) * strides + k - n, 0))
    const before = missing.map((n) => Math.floor(n / 2))
    const pads = padding === 'same' ? [...before, ...missing.map((n, axis) => n - before[axis])] : [0, 0, 0, 0]
    return graph.node('Conv', operands, { kernel_shape: [k, k], strides: [strides, strides], pads })
  },

  batchNormalization(graph, [x], { weights, options }) {
    const operands = weights.map((weight) => constant(graph, weight))
    return graph.node('BatchNormalization', [x, ...operands], { epsilon: { float: options.epsilon } })
  },

  maxPooling2d(graph, [x], { options: { poolSize } }) {
    return graph.node('MaxPool', [x], { kernel_shape: [poolSize, poolSize], strides: [poolSize, poolSize] })
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

  relu(graph, inputs) {
    return graph.node('Relu', inputs)
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

/** The elements with axes in another order. */
function permute(data, shape, order) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const extents = order.map((axis) => shape[axis])
  const index = order.map(() => 0)
  return Float32Array.from({ length: data.length }, () => {
    const value = data[index.reduce((at, n, i) => at + n * strides[order[i]], 0)]
    for (let axis = extents.length - 1; axis >= 0 && ++index[axis] === extents[axis]; axis--) index[axis] = 0
    return value
  })
}
