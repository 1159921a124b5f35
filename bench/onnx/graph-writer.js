import { bytes, float, integer, message } from './protobuf.js'

/** TensorProto.DataType */
const elementTypes = new Map([
  [Float32Array, 1],
  [Int32Array, 6],
  [BigInt64Array, 7],
])
const namedTypes = { float32: 1, int32: 6 }

/** Collects the nodes and constants of an ONNX graph and writes the model. Field numbers are those of onnx.proto. */
export class GraphWriter {
  #nodes = []
  #initializers = []
  #names = 0

  /** Adds a node with one result and returns the result's name; its first `skipped` results are left unnamed. */
  node(type, inputs, attributes = {}, { skipped = 0 } = {}) {
    const result = this.#fresh()
    const outputs = [...Array.from({ length: skipped }, () => ''), result]
    this.#nodes.push(nodeProto(type, inputs, outputs, attributes))
    return result
  }

  /** Adds a constant and returns its name. */
  constant(data, shape) {
    const name = this.#fresh()
    this.#initializers.push(
      message(
        shape.map((extent) => integer(1, extent)),
        integer(2, elementTypes.get(data.constructor)),
        bytes(8, name),
        bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
      ),
    )
    return name
  }

  /** The bytes of the model. Inputs and outputs are `{ name, dtype, shape }` without the batch axis, outputs with `value`. */
  finish(name, inputs, outputs) {
    const named = outputs.map((output) => nodeProto('Identity', [output.value], [output.name], {}))
    const nodes = [...this.#nodes, ...named]
    const graph = message(
      nodes.map((node) => bytes(1, node)),
      bytes(2, name),
      this.#initializers.map((initializer) => bytes(5, initializer)),
      inputs.map((input) => bytes(11, valueInfo(input))),
      outputs.map((output) => bytes(12, valueInfo(output))),
    )
    const operatorSet = message(bytes(1, ''), integer(2, 17))
    return message(integer(1, 8), bytes(2, 'ferrograph-bench'), bytes(7, graph), bytes(8, operatorSet))
  }

  #fresh() {
    return `v${this.#names++}`
  }
}

function nodeProto(type, inputs, outputs, attributes) {
  return message(
    inputs.map((input) => bytes(1, input)),
    outputs.map((output) => bytes(2, output)),
    bytes(4, type),
    Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
  )
}

/** Whole numbers are `int`, lists `ints`; a float is written `{ float: x }`. */
function attribute(name, value) {
  if (Array.isArray(value))
    return message(
      bytes(1, name),
      value.map((item) => integer(8, item)),
      integer(20, 7),
    )
  if (typeof value === 'object') return message(bytes(1, name), float(2, value.float), integer(20, 1))
  return message(bytes(1, name), integer(3, value), integer(20, 2))
}

function valueInfo({ name, dtype, shape }) {
  const extents = [message(bytes(2, 'N')), ...shape.map((extent) => message(integer(1, extent)))]
  const tensorType = message(
    integer(1, namedTypes[dtype]),
    bytes(2, message(extents.map((extent) => bytes(1, extent)))),
  )
  return message(bytes(1, name), bytes(2, message(bytes(1, tensorType))))
}
