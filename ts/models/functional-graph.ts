import { ConfigError, DataError, ShapeError } from '../core/errors.ts'
import { walkGraph } from '../core/graph-walk.ts'
import { show } from '../core/names.ts'
import { mapArguments, nodeOf, type Node } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import { declaredLeaves, flatten, isPlainObject, mapStructure, type Structure } from '../core/tree.ts'
import { formatShape, type Shape } from '../core/types.ts'
import { Input } from '../layers/input-layer.ts'
import { Layer } from '../layers/layer.ts'
import type { InputDescription } from '../training/trainable.ts'
import { callOnNodes, cast } from '../ops/op.ts'
import { traceOf, type Trace } from '../native/trace.ts'
import * as ops from '../ops/index.ts'

/** The nodes between a model's inputs and its outputs: what a functional model computes. */
export class FunctionalGraph {
  /** The inputs in the structure in which the model takes them. */
  readonly inputs: Structure<SymbolicTensor>
  /** The outputs in the structure in which the model returns them. */
  readonly outputs: Structure<SymbolicTensor>
  /** Every node, each after its parents. */
  readonly nodes: readonly Node[]
  /** Layers and ops in Keras's order. */
  readonly operations: readonly Operation[]
  /** What is expected of each input, in their structure. */
  readonly inputDescriptions: Structure<InputDescription>

  constructor(owner: string, inputs: Structure<SymbolicTensor>, outputs: Structure<SymbolicTensor>) {
    checkTensors(owner, 'inputs', inputs)
    checkTensors(owner, 'outputs', outputs)
    const whole = fromInputLayers(inputs, outputs)
    this.inputs = whole.inputs
    this.outputs = whole.outputs
    const flatInputs = flatten(this.inputs)
    if (new Set(flatInputs).size < flatInputs.length) throw new ConfigError(`${owner}: expected every input once, received one twice`)
    const walk = walkGraph(flatInputs, flatten(this.outputs))
    this.nodes = walk.nodes
    this.operations = walk.operations
    this.inputDescriptions = mapStructure(
      this.inputs,
      (input): InputDescription => ({ name: this.inputName(input), shape: input.shape, dtype: input.dtype }),
    )
  }

  /** The layers in Keras's order; ops are left out. */
  get layers(): Layer[] {
    return this.operations.filter((operation) => operation instanceof Layer)
  }

  /** The name of the input layer behind an input. */
  inputName(input: SymbolicTensor): string {
    return nodeOf(input)?.operation.name ?? input.name
  }

  /** Computes the outputs while a graph is traced. */
  run(owner: string, given: Structure<SymbolicTensor>): Structure<SymbolicTensor> {
    const values = new Map<SymbolicTensor, SymbolicTensor>()
    const inputs = flatten(this.inputs)
    this.#arrange(owner, given).forEach((value, i) => {
      const input = inputs[i] as SymbolicTensor
      values.set(input, conform(owner, this.inputName(input), value, input))
    })
    for (const node of this.nodes) {
      if (node.inputs.length === 0 || !node.inputs.every((input) => values.has(input))) continue
      const call = mapArguments(node.call, (value) => (value instanceof SymbolicTensor ? values.get(value) : value))
      const results = flatten(node.operation.invoke(call.args, call.kwargs))
      flatten(node.outputs).forEach((output, i) => values.set(output, results[i] as SymbolicTensor))
    }
    return mapStructure(this.outputs, (output) => values.get(output) as SymbolicTensor)
  }

  /** What the caller gave, in the flat order of the inputs. Lists go by declared position, objects by name. */
  #arrange(owner: string, given: Structure<SymbolicTensor>): SymbolicTensor[] {
    const inputs = flatten(this.inputs)
    if (given instanceof SymbolicTensor) {
      if (inputs.length === 1) return [given]
      throw new DataError(`${owner}: expected ${inputs.length} inputs, received one tensor`)
    }
    if (isPlainObject(given)) return this.#byName(owner, given as Record<string, Structure<SymbolicTensor>>)
    const list = flatten(given)
    if (list.length !== inputs.length) throw new DataError(`${owner}: expected ${inputs.length} inputs, received ${list.length}`)
    const declared = declaredLeaves(this.inputs).map(({ leaf }) => leaf)
    return inputs.map((input) => list[declared.indexOf(input)] as SymbolicTensor)
  }

  #byName(owner: string, given: Record<string, Structure<SymbolicTensor>>): SymbolicTensor[] {
    const keys = new Map(declaredLeaves(this.inputs).map(({ path, leaf }) => [leaf, path.length === 1 && typeof path[0] === 'string' ? path[0] : undefined]))
    return flatten(this.inputs).map((input) => {
      const key = [keys.get(input), input.name, this.inputName(input)].find((name) => name !== undefined && Object.hasOwn(given, name))
      const value = key === undefined ? undefined : given[key]
      if (value instanceof SymbolicTensor) return value
      throw new DataError(
        `${owner}: missing data for input '${this.inputName(input)}'; received the keys ${Object.keys(given).map(show).join(', ')}`,
      )
    })
  }
}

function checkTensors(owner: string, what: string, structure: Structure<SymbolicTensor>): void {
  const leaves = flatten(structure as Structure<unknown>)
  if (leaves.length === 0) throw new ConfigError(`${owner}: expected at least one tensor in '${what}'`)
  for (const leaf of leaves) {
    if (leaf instanceof SymbolicTensor && leaf.origin.kind === 'node') continue
    throw new ConfigError(`${owner}: '${what}' must be symbolic tensors made by Input or by calling layers. Received: ${show(leaf)}`)
  }
}

/** Inputs that a layer made are replaced by new input layers, and what lies behind them is called again, sharing layers. */
function fromInputLayers(inputs: Structure<SymbolicTensor>, outputs: Structure<SymbolicTensor>): { inputs: Structure<SymbolicTensor>; outputs: Structure<SymbolicTensor> } {
  const isInput = (tensor: SymbolicTensor): boolean => nodeOf(tensor)?.inputs.length === 0
  if (flatten(inputs).every(isInput)) return { inputs, outputs }
  const values = new Map<SymbolicTensor, SymbolicTensor>()
  const newInputs = mapStructure(inputs, (tensor) => {
    const replacement = isInput(tensor)
      ? tensor
      : Input({ batchShape: tensor.shape, dtype: tensor.dtype, name: `${tensor.name.replaceAll('/', '_')}CLONE` })
    values.set(tensor, replacement)
    return replacement
  })
  for (const node of walkGraph(flatten(inputs), flatten(outputs)).nodes) {
    if (node.inputs.length === 0 || flatten(node.outputs).every((output) => values.has(output))) continue
    const call = mapArguments(node.call, (value) => (value instanceof SymbolicTensor ? values.get(value) : value))
    const results = flatten(callOnNodes(node.operation, call))
    flatten(node.outputs).forEach((output, i) => values.set(output, results[i] as SymbolicTensor))
  }
  return { inputs: newInputs, outputs: mapStructure(outputs, (output) => values.get(output) ?? output) }
}

/** An input as the model's graph expects it: its type, and a rank that differs by one trailing extent of 1 put right. */
function conform(owner: string, name: string, value: SymbolicTensor, expected: SymbolicTensor): SymbolicTensor {
  const trace = traceOf(value) as Trace
  let fitted = value
  if (fitted.rank === expected.rank + 1 && fitted.shape.at(-1) === 1) fitted = ops.squeeze(fitted, -1)
  else if (fitted.rank === expected.rank - 1 && expected.shape.at(-1) === 1) fitted = ops.expandDims(fitted, -1)
  const fits = fitted.rank === expected.rank && fitted.shape.every((extent, axis) => agree(extent, expected.shape, axis))
  if (!fits) {
    throw new ShapeError(`${owner}: expected shape ${formatShape(expected.shape)} for input '${name}', received ${formatShape(value.shape)}`, {
      input: name,
      expected: expected.shape,
      received: value.shape,
    })
  }
  if (fitted.dtype === expected.dtype) {
    if (fitted !== value) fitted.mask = value.mask
    return fitted
  }
  const converted = cast(trace, fitted, expected.dtype)
  converted.mask = value.mask
  return converted
}

function agree(extent: number | null, expected: Shape, axis: number): boolean {
  const wanted = expected[axis]
  return extent === null || wanted === null || wanted === extent
}


