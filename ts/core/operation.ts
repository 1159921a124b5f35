import { StateError } from './errors.ts'
import type { Node } from './node.ts'
import { SymbolicTensor } from './symbolic.ts'
import { flatten, type Structure } from './tree.ts'

/** What a node calls: a layer, or an op that was called on symbolic tensors. */
export interface Operation {
  /** The name, unique within a model. */
  readonly name: string
  /** The calls so far, in order. */
  readonly inboundNodes: Node[]
  /** Computes the results while a graph is traced. */
  invoke(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Structure<SymbolicTensor>
}

/** The tensor or tensors that the first call of an operation was made on. */
export function firstInput(operation: Operation): SymbolicTensor | SymbolicTensor[] {
  return single(firstNode(operation).inputs)
}

/** The tensor or tensors that the first call of an operation returned. */
export function firstOutput(operation: Operation): SymbolicTensor | SymbolicTensor[] {
  return single(flatten(firstNode(operation).outputs))
}

function firstNode(operation: Operation): Node {
  const node = operation.inboundNodes[0]
  if (!node) throw new StateError(`'${operation.name}' has never been called, so it has no input and no output`)
  return node
}

function single(tensors: readonly SymbolicTensor[]): SymbolicTensor | SymbolicTensor[] {
  return tensors.length === 1 ? (tensors[0] as SymbolicTensor) : [...tensors]
}
