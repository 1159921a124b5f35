import { ConfigError } from './errors.ts'
import { nodeOf, type Node } from './node.ts'
import type { Operation } from './operation.ts'
import type { SymbolicTensor } from './symbolic.ts'

/** The part of the graph of nodes that leads from inputs to outputs. */
export interface GraphWalk {
  /** Every node, each after its parents, by decreasing distance from the outputs. */
  readonly nodes: readonly Node[]
  /** Every operation once, in the order in which Keras lists a model's layers. */
  readonly operations: readonly Operation[]
}

/**
 * Finds what lies between inputs and outputs. Operations come by decreasing distance from the outputs (a shared one
 * by its largest), then in the order of the first visit from the outputs, exactly as in Keras.
 *
 * @throws ConfigError when an output does not depend on the inputs alone, or two operations have one name.
 */
export function walkGraph(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): GraphWalk {
  const { nodes, visited } = nodesBackFrom(outputs, new Set(inputs))
  const nodeDepth = new Map<Node, number>()
  const depth = new Map<Operation, number>()
  for (const node of [...nodes].reverse()) {
    const own = Math.max(nodeDepth.get(node) ?? 0, depth.get(node.operation) ?? 0)
    nodeDepth.set(node, own)
    depth.set(node.operation, own)
    for (const parent of node.parents) nodeDepth.set(parent, Math.max(own + 1, nodeDepth.get(parent) ?? 0))
  }
  // An input that no output needs is still part of the model.
  const unused = inputs.map(nodeOf).filter((node): node is Node => node !== undefined && !depth.has(node.operation))
  for (const node of unused) {
    depth.set(node.operation, 0)
    nodeDepth.set(node, 0)
  }
  const byDepth = <T>(items: readonly T[], of: ReadonlyMap<T, number>, order: (item: T) => number): T[] =>
    [...items].sort((a, b) => (of.get(b) ?? 0) - (of.get(a) ?? 0) || order(a) - order(b))
  const place = new Map(nodes.map((node, i) => [node, i]))
  const orderedNodes = byDepth([...nodeDepth.keys()].filter((n) => place.has(n) || unused.includes(n)), nodeDepth, (n) => place.get(n) ?? -1)
  const operations = byDepth([...depth.keys()], depth, (operation) => visited.get(operation) ?? -1)
  checkComputable(inputs, orderedNodes)
  checkNames(operations)
  return { nodes: orderedNodes, operations }
}

/** The nodes that outputs need, each after its parents, and when each operation was first met. Walks without recursion. */
function nodesBackFrom(outputs: readonly SymbolicTensor[], inputs: ReadonlySet<SymbolicTensor>): { nodes: Node[]; visited: Map<Operation, number> } {
  const nodes: Node[] = []
  const visited = new Map<Operation, number>()
  const finished = new Set<Node>()
  for (const output of outputs) {
    const stack: { node: Node; next: number; stop: boolean }[] = []
    const enter = (tensor: SymbolicTensor): void => {
      const node = nodeOf(tensor)
      if (!node || finished.has(node) || stack.some((frame) => frame.node === node)) return
      if (!visited.has(node.operation)) visited.set(node.operation, visited.size)
      stack.push({ node, next: 0, stop: inputs.has(tensor) })
    }
    enter(output)
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const parent = frame.stop ? undefined : frame.node.inputs[frame.next++]
      if (parent) {
        enter(parent)
        continue
      }
      stack.pop()
      finished.add(frame.node)
      nodes.push(frame.node)
    }
  }
  return { nodes, visited }
}

function checkComputable(inputs: readonly SymbolicTensor[], nodes: readonly Node[]): void {
  const known = new Set<Node>(inputs.map(nodeOf).filter((node) => node !== undefined))
  const reached: string[] = []
  for (const node of nodes) {
    if (known.has(node)) continue
    const missing = node.inputs.length === 0 ? node : node.parents.find((parent) => !known.has(parent))
    if (missing) {
      throw new ConfigError(
        `Graph disconnected: '${missing.operation.name}' is needed by the outputs but is not among the inputs of the model. ` +
          `Inputs: ${names(inputs)}. Reached without it: ${reached.length > 0 ? reached.join(', ') : 'nothing'}`,
        { operation: missing.operation.name },
      )
    }
    known.add(node)
    reached.push(`'${node.operation.name}'`)
  }
}

function names(tensors: readonly SymbolicTensor[]): string {
  return tensors.map((tensor) => `'${nodeOf(tensor)?.operation.name ?? tensor.name}'`).join(', ')
}

function checkNames(operations: readonly Operation[]): void {
  const seen = new Set<string>()
  for (const { name } of operations) {
    if (seen.has(name)) {
      const times = operations.filter((operation) => operation.name === name).length
      throw new ConfigError(`the name '${name}' is used ${times} times in the model; all names of layers must be unique`, { name })
    }
    seen.add(name)
  }
}
