import { ConfigError } from '../core/errors.ts'
import { toCamelCase, toKerasKey } from '../core/names.ts'
import { mapArguments, Node, nodeOf, type CallArguments } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { PythonFloat } from '../core/python-json.ts'
import type { SerializedObject } from '../core/registry.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import { flatten, isPlainObject, mapStructure, type Structure } from '../core/tree.ts'
import { Layer } from '../layers/layer.ts'
import { callOnNodes, findKerasOp, OpCall } from '../ops/op.ts'
import { Tensor, tensor, type TensorLike } from '../native/tensor.ts'
import type { FunctionalGraph } from './functional-graph.ts'
import { deserializeLayer, serializeLayer, type CustomObjects } from './layer-config.ts'

/** The largest number of layers a file may describe. */
const maximumLayers = 100_000

type History = readonly [name: string, node: number, tensor: number]

/** The graph of a functional model in the form of Keras's files. */
export function serializeGraph(graph: FunctionalGraph): { layers: unknown[]; input_layers: unknown; output_layers: unknown } {
  const index = new Map<Node, number>()
  const counts = new Map<Operation, number>()
  const inOrderOfCalls = [...graph.nodes].sort((a, b) => a.index - b.index)
  for (const node of inOrderOfCalls) {
    const next = counts.get(node.operation) ?? 0
    index.set(node, next)
    counts.set(node.operation, next + 1)
  }
  const historyOf = (tensor: SymbolicTensor): History => {
    const node = nodeOf(tensor) as Node
    return [node.operation.name, index.get(node) ?? 0, tensor.origin.kind === 'node' ? tensor.origin.index : 0]
  }
  const layers = graph.operations.map((operation) => {
    const nodes = inOrderOfCalls.filter((node) => node.operation === operation && node.inputs.length > 0)
    return { ...serializeOperation(operation), name: operation.name, inbound_nodes: nodes.map((node) => serializeCall(node, historyOf)) }
  })
  const ends = (structure: Structure<SymbolicTensor>): unknown =>
    mapStructure(structure, (tensor) => {
      const [name, node, position] = historyOf(tensor)
      // Keras counts a node that a functional model is born with, here and only here.
      return [name, node + (isFunctional(nodeOf(tensor)?.operation) ? 1 : 0), position] as unknown
    })
  return { layers, input_layers: ends(graph.inputs), output_layers: ends(graph.outputs) }
}

function isFunctional(operation: Operation | undefined): boolean {
  return operation instanceof Layer && operation.className === 'Functional'
}

function serializeOperation(operation: Operation): SerializedObject {
  if (operation instanceof Layer) return serializeLayer(operation)
  if (operation instanceof OpCall && operation.definition.keras) {
    const { module, className } = operation.definition.keras
    const options = operation.inboundNodes[0]?.call.kwargs ?? {}
    const config = Object.fromEntries(Object.entries(options).map(([key, value]) => [toKerasKey(key), value]))
    return { module, class_name: className, config: { name: operation.name, ...config }, registered_name: className }
  }
  throw new ConfigError(`'${operation.name}' has no form in .keras files: wrap it in a layer of your own`, { operation: operation.name })
}

function serializeCall(node: Node, historyOf: (tensor: SymbolicTensor) => History): unknown {
  // An op's options are its configuration; a layer's options belong to the call.
  const kwargs = node.operation instanceof Layer ? node.call.kwargs : {}
  const floats = node.inputs.some((input) => input.dtype === 'float32')
  const { args, kwargs: named } = mapArguments({ args: node.call.args, kwargs }, (value) => {
    if (value instanceof SymbolicTensor) {
      return new Raw({ class_name: '__keras_tensor__', config: { shape: value.shape, dtype: value.dtype, keras_history: historyOf(value) } })
    }
    if (value instanceof Tensor) {
      return new Raw({ class_name: '__tensor__', config: { value: value.toArray(), dtype: value.dtype } })
    }
    return typeof value === 'number' && floats ? new PythonFloat(value) : value
  })
  return { args: unwrap(args), kwargs: Object.fromEntries(Object.entries(named).map(([key, value]) => [toKerasKey(key), unwrap(value)])) }
}

/** Keeps {@link mapArguments} from looking into what is finished. */
class Raw {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

function unwrap(value: unknown): unknown {
  if (value instanceof Raw) return value.value
  if (Array.isArray(value)) return value.map(unwrap)
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, unwrap(member)]))
  return value
}

/** Makes the layers of a functional model and calls them again. */
export function deserializeGraph(
  config: Readonly<Record<string, unknown>>,
  customObjects: CustomObjects,
): { inputs: Structure<SymbolicTensor>; outputs: Structure<SymbolicTensor> } {
  const entries = config['layers']
  if (!Array.isArray(entries)) throw new ConfigError("expected an array 'layers' in the configuration of a model")
  if (entries.length > maximumLayers) throw new ConfigError(`expected at most ${maximumLayers} layers, received ${entries.length}`)
  const made = new Map<string, Made>()
  for (const entry of entries as unknown[]) {
    const item = makeOperation(entry, customObjects)
    if (made.has(item.name)) throw new ConfigError(`the name '${item.name}' is used twice in the configuration of a model`)
    made.set(item.name, item)
  }
  callAll([...made.values()], made)
  const find = (reference: History): SymbolicTensor => {
    const [name, node, position] = reference
    const operation = made.get(name)?.operation
    const found = operation && outputOf(made, [name, isFunctional(operation) ? node - 1 : node, position])
    if (!found) throw new ConfigError(`expected a tensor that a layer of the model makes, received ${JSON.stringify(reference)}`)
    return found
  }
  return { inputs: readEnds(config['input_layers'], find), outputs: readEnds(config['output_layers'], find) }
}

interface Made {
  readonly name: string
  readonly operation: Operation
  readonly calls: readonly unknown[]
  /** Options of an op, which every call of it gets. */
  readonly options: Readonly<Record<string, unknown>>
  readonly nodes: Node[]
}

function makeOperation(entry: unknown, customObjects: CustomObjects): Made {
  if (!isPlainObject(entry) || typeof entry['class_name'] !== 'string') throw new ConfigError('expected layers with a class_name in the configuration of a model')
  const calls = Array.isArray(entry['inbound_nodes']) ? (entry['inbound_nodes'] as unknown[]) : []
  const config = (isPlainObject(entry['config']) ? entry['config'] : {}) as Record<string, unknown>
  const op = typeof entry['module'] === 'string' ? findKerasOp(entry['module'], entry['class_name']) : undefined
  if (op) {
    const { name, dtype: _, ...options } = config
    const operation = new OpCall(op, String(name ?? entry['name']))
    const camel = Object.fromEntries(Object.entries(options).map(([key, value]) => [toCamelCase(key), value]))
    return { name: operation.name, operation, calls, options: camel, nodes: [] }
  }
  const operation = deserializeLayer(entry, customObjects)
  const nodes = calls.length === 0 && operation.inboundNodes[0] ? [operation.inboundNodes[0]] : []
  return { name: operation.name, operation, calls, options: {}, nodes }
}

/** Calls every layer as often as the file says. A call waits until the tensors it reads exist. */
function callAll(all: readonly Made[], made: ReadonlyMap<string, Made>): void {
  let waiting = all.flatMap((item) => item.calls.map((call, index) => ({ item, call, index })))
  while (waiting.length > 0) {
    const later: typeof waiting = []
    for (const pending of waiting) {
      const { item, call, index } = pending
      const revived = item.nodes.length === index ? reviveCall(item, call, made) : undefined
      if (!revived) {
        later.push(pending)
        continue
      }
      callOnNodes(item.operation, revived)
      item.nodes.push(item.operation.inboundNodes.at(-1) as Node)
    }
    if (later.length === waiting.length) {
      const names = [...new Set(later.map(({ item }) => `'${item.name}'`))].join(', ')
      throw new ConfigError(`the calls of ${names} wait for tensors that no layer of the model makes`)
    }
    waiting = later
  }
}

/** The arguments of a call with tensors in place of their descriptions; `undefined` while one of them does not exist. */
function reviveCall(item: Made, call: unknown, made: ReadonlyMap<string, Made>): CallArguments | undefined {
  if (!isPlainObject(call) || !Array.isArray(call['args'])) {
    throw new ConfigError(`'${item.name}': expected calls with args and kwargs as Keras 3 writes them`)
  }
  let complete = true
  const revive = (value: unknown, depth: number): unknown => {
    if (depth > 32) throw new ConfigError(`'${item.name}': expected arguments nested at most 32 deep`)
    if (Array.isArray(value)) return value.map((member) => revive(member, depth + 1))
    if (!isPlainObject(value)) return value
    const config = isPlainObject(value['config']) ? value['config'] : {}
    if (value['class_name'] === '__keras_tensor__') {
      const tensor = outputOf(made, readHistory(config['keras_history']))
      complete &&= tensor !== undefined
      return tensor
    }
    if (value['class_name'] === '__tensor__' || value['class_name'] === '__numpy__') return reviveConstant(config)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revive(member, depth + 1)]))
  }
  const args = call['args'].map((value) => revive(value, 0))
  const kwargs = Object.entries(isPlainObject(call['kwargs']) ? call['kwargs'] : {})
    .filter(([key, value]) => value !== null && !isRecordedDefault(item.operation, key, value))
    .map(([key, value]) => [toCamelCase(key), revive(value, 0)] as const)
  return complete ? { args, kwargs: { ...item.options, ...Object.fromEntries(kwargs) } } : undefined
}

/** Keras before 3.16 writes a call's `training` even when it is the layer's default and nobody passed it. */
function isRecordedDefault(operation: Operation, key: string, value: unknown): boolean {
  return key === 'training' && value === false && operation instanceof Layer && operation.className !== 'BatchNormalization'
}

function reviveConstant(config: Readonly<Record<string, unknown>>): Tensor {
  const dtype = config['dtype']
  return tensor(config['value'] as TensorLike, undefined, dtype === 'int32' || dtype === 'int64' ? 'int32' : dtype === 'bool' ? 'bool' : 'float32')
}

function readHistory(value: unknown): History {
  if (Array.isArray(value) && typeof value[0] === 'string' && Number.isInteger(value[1]) && Number.isInteger(value[2])) {
    return [value[0], value[1] as number, value[2] as number]
  }
  throw new ConfigError(`expected [layer, node, tensor], received ${JSON.stringify(value)}`)
}

function outputOf(made: ReadonlyMap<string, Made>, [name, node, position]: History): SymbolicTensor | undefined {
  const from = made.get(name)
  if (!from) throw new ConfigError(`a call reads from layer '${name}', which the model does not have`)
  const outputs = from.nodes[node]?.outputs
  return outputs === undefined ? undefined : flatten(outputs)[position]
}

/** `["x", 0, 0]`, lists and objects of them; files before 3.11 wrap a single one in a list. */
function readEnds(value: unknown, find: (reference: History) => SymbolicTensor): Structure<SymbolicTensor> {
  const isReference = (item: unknown): boolean => Array.isArray(item) && item.length === 3 && typeof item[0] === 'string' && typeof item[1] === 'number'
  if (isReference(value)) return find(readHistory(value))
  if (Array.isArray(value)) {
    if (value.length === 1 && isReference(value[0])) return find(readHistory(value[0]))
    return value.map((item) => readEnds(item, find))
  }
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readEnds(item, find)]))
  throw new ConfigError(`expected input_layers and output_layers as Keras writes them, received ${JSON.stringify(value)}`)
}
