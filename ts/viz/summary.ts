import { ConfigError } from '../core/errors.ts'
import { nodeOf, type Node } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { flatten, isPlainObject, type Structure } from '../core/tree.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Shape } from '../core/types.ts'
import { drawTable, type Column } from './table.ts'

/** Options of `model.summary()`. */
export interface SummaryOptions {
  /** Width of the table in characters. Default: 88, or 108 for models that are no plain stack, or what the terminal has. */
  readonly lineLength?: number
  /** Show the layers of nested models. Default `false`. */
  readonly expandNested?: boolean
  /** Show whether each layer is trainable. Default `false`. */
  readonly showTrainable?: boolean
  /** Where the text goes. Default: standard output. */
  readonly print?: (text: string) => void
}

/** What a summary knows of a variable. */
interface Counted {
  readonly shape: readonly number[]
  readonly dtype: string
}

/** What a summary knows of a layer. */
interface Summarized extends Operation {
  readonly className: string
  readonly built: boolean
  readonly trainable: boolean
  readonly weights: readonly Counted[]
  readonly layers?: readonly Summarized[]
}

/** What a summary knows of a model. */
export interface SummarizedModel {
  readonly name: string
  /** Layers and ops in order, and the nodes between the model's inputs and outputs if it is a graph. */
  readonly operations: readonly Operation[]
  readonly nodes: readonly Node[] | undefined
  readonly trainableWeights: readonly Counted[]
  readonly nonTrainableWeights: readonly Counted[]
  readonly optimizerVariables: readonly Counted[]
}

/** The table of a model's layers with shapes and numbers of parameters, as Keras prints it. */
export function summary(model: SummarizedModel, options: SummaryOptions = {}): string {
  const graph = model.nodes && !isStack(model.operations, model.nodes) ? model.nodes : undefined
  const columns = layout(options, graph !== undefined)
  const rows = model.operations.flatMap((operation) => layerRows(operation, options, graph, 0))
  return [`Model: "${model.name}"`, drawTable(columns.list, rows, columns.width), ...totals(model)].join('\n')
}

/** Whether every layer has one input and is called once: then the table needs no connections. */
function isStack(operations: readonly Operation[], nodes: readonly Node[]): boolean {
  const firstInputs = nodes.filter((node) => node.inputs.length === 0)
  const consumers = new Set<Node>()
  for (const node of nodes) {
    if (node.inputs.length > 1) return false
    for (const parent of node.parents) {
      if (consumers.has(parent)) return false
      consumers.add(parent)
    }
  }
  return firstInputs.length <= 1 && nodes.length === operations.length
}

function layout(options: SummaryOptions, connected: boolean): { list: Column[]; width: number } {
  let positions = connected ? [0.3, 0.56, 0.74, 1] : [0.45, 0.8, 1]
  const headers: [string, Column['alignment']][] = [
    ['Layer (type)', 'left'],
    ['Output Shape', 'left'],
    ['Param #', 'right'],
  ]
  if (connected) headers.push(['Connected to', 'left'])
  let wanted = connected ? 108 : 88
  if (options.showTrainable) {
    wanted += 12
    positions = [...positions.map((position) => position * 0.9), 1]
    headers.push(['Trainable', 'center'])
  }
  const width = options.lineLength ?? Math.min(wanted, terminalColumns() - 4)
  let current = 0
  const list = headers.map(([header, alignment], i): Column => {
    const own = Math.trunc((positions[i] as number) * width) - current
    if (own < 4) throw new ConfigError(`summary: expected a lineLength that leaves room for ${headers.length} columns, received ${width}`)
    current += own
    return { header, alignment, width: own }
  })
  return { list, width }
}

function terminalColumns(): number {
  const fromEnvironment = Number(process.env['COLUMNS'])
  return fromEnvironment > 0 ? fromEnvironment : (process.stdout.columns ?? 80)
}

function layerRows(operation: Operation, options: SummaryOptions, graph: readonly Node[] | undefined, level: number): string[][] {
  const layer = 'weights' in operation ? (operation as Summarized) : undefined
  const prefix = level === 0 ? '' : `${'   '.repeat(level)}└ `
  const row = [`${prefix}${operation.name} (${typeName(operation)})`, outputShape(operation), parameterText(layer)]
  if (graph) row.push(level === 0 ? connections(operation, graph) : '-')
  if (options.showTrainable) row.push(layer && layer.weights.length > 0 ? (layer.trainable ? 'Y' : 'N') : '-')
  const nested = options.expandNested && layer?.layers ? layer.layers : []
  return [row, ...nested.flatMap((inner) => layerRows(inner, options, graph, level + 1))]
}

function typeName(operation: Operation): string {
  const named = operation as { className?: string; definition?: { name: string; keras?: { className: string } } }
  return named.className ?? named.definition?.keras?.className ?? named.definition?.name ?? operation.constructor.name
}

function parameterText(layer: Summarized | undefined): string {
  if (!layer) return '0'
  const untouched = !layer.built && layer.inboundNodes.length === 0
  return untouched ? '0 (unbuilt)' : thousands(count(layer.weights))
}

function outputShape(operation: Operation): string {
  const node = operation.inboundNodes.at(-1)
  if (!node) return '?'
  const flat = flatten(node.outputs)
  return flat.length === 1 ? pythonShape((flat[0] as SymbolicTensor).shape) : pythonShapes(node.outputs)
}

function pythonShape(shape: Shape): string {
  return `(${shape.map((extent) => (extent === null ? 'None' : extent)).join(', ')})`
}

function pythonShapes(structure: Structure<SymbolicTensor>): string {
  if (Array.isArray(structure)) return `[${structure.map((item: Structure<SymbolicTensor>) => pythonShapes(item)).join(', ')}]`
  if (isPlainObject(structure)) {
    return `{${Object.entries(structure).map(([key, item]) => `${key}: ${pythonShapes(item as Structure<SymbolicTensor>)}`).join(', ')}}`
  }
  return pythonShape((structure as SymbolicTensor).shape)
}

function connections(operation: Operation, graph: readonly Node[]): string {
  const tensors = operation.inboundNodes.filter((node) => graph.includes(node)).flatMap((node) => node.inputs)
  const text = tensors.map((tensor) => `${nodeOf(tensor)?.operation.name}[${nodeOf(tensor)?.index}][${tensor.origin.kind === 'node' ? tensor.origin.index : 0}]`)
  return text.length > 0 ? text.join(', ') : '-'
}

function totals(model: SummarizedModel): string[] {
  const { trainableWeights, nonTrainableWeights, optimizerVariables } = model
  const line = (label: string, variables: readonly Counted[]): string =>
    ` ${label}: ${thousands(count(variables))} (${memory(variables.reduce((n, v) => n + count([v]) * (v.dtype === 'float32' || v.dtype === 'int32' ? 4 : 1), 0))})`
  const lines = [
    line('Total params', [...trainableWeights, ...nonTrainableWeights, ...optimizerVariables]),
    line('Trainable params', trainableWeights),
    line('Non-trainable params', nonTrainableWeights),
  ]
  if (optimizerVariables.length > 0) lines.push(line('Optimizer params', optimizerVariables))
  return lines
}

function count(variables: readonly Counted[]): number {
  return variables.reduce((n, variable) => n + variable.shape.reduce((m, extent) => m * extent, 1), 0)
}

function thousands(n: number): string {
  return n.toLocaleString('en-US')
}

function memory(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let size = bytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${size.toFixed(2)} ${units[unit]}`
}
