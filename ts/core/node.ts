import type { Operation } from './operation.ts'
import { SymbolicTensor } from './symbolic.ts'
import { isPlainObject, type Structure } from './tree.ts'

/** The arguments of one call: positional ones and named ones, with symbolic tensors anywhere inside. */
export interface CallArguments {
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
}

/** One call of a layer or an op on symbolic tensors. */
export class Node {
  /** What was called. */
  readonly operation: Operation
  /** With what. */
  readonly call: CallArguments
  /** The tensors among the arguments, in order. */
  readonly inputs: readonly SymbolicTensor[]
  /** The results, in the structure that the call returned. */
  outputs: Structure<SymbolicTensor>
  /** Which of the operation's calls this is. */
  readonly index: number

  constructor(operation: Operation, call: CallArguments) {
    this.operation = operation
    this.call = call
    this.inputs = tensorsOf(call)
    this.outputs = []
    this.index = operation.inboundNodes.length
    operation.inboundNodes.push(this)
  }

  /** The nodes whose results this one reads, each once. */
  get parents(): Node[] {
    const nodes = this.inputs.map((tensor) => nodeOf(tensor)).filter((node) => node !== undefined)
    return [...new Set(nodes)]
  }
}

/** The node that made a tensor, if it is part of a model's graph. */
export function nodeOf(tensor: SymbolicTensor): Node | undefined {
  return tensor.origin.kind === 'node' ? tensor.origin.node : undefined
}

/** The symbolic tensors among the arguments of a call, in order; one that appears twice is listed twice. */
export function tensorsOf(call: CallArguments): SymbolicTensor[] {
  const found: SymbolicTensor[] = []
  mapArguments(call, (value) => {
    if (value instanceof SymbolicTensor) found.push(value)
    return value
  })
  return found
}

/** The same arguments with every value that is neither an array nor an object literal replaced. */
export function mapArguments(call: CallArguments, replace: (value: unknown) => unknown): CallArguments {
  const map = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(map)
    if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, map(member)]))
    return replace(value)
  }
  return { args: call.args.map(map), kwargs: map({ ...call.kwargs }) as Record<string, unknown> }
}
