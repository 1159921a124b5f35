import { ShapeError, StateError } from '../core/errors.ts'
import { show, toSnakeCase, uniqueName } from '../core/names.ts'
import { mapArguments, Node, tensorsOf, type CallArguments } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import { flatten, mapStructure, type Structure } from '../core/tree.ts'
import { dtypes, type DType } from '../core/types.ts'
import { Tensor, tensor, type TensorLike } from '../native/tensor.ts'
import { currentTrace, Trace, traceOf } from '../native/trace.ts'
import { Variable } from '../native/variable.ts'

/** What an op takes: a symbolic tensor, a variable, a tensor, or numbers. */
export type Operand = SymbolicTensor | Variable | TensorLike

/** What an op gives back: a symbolic tensor when any operand is one, else a tensor with the result. */
export type Result<T> = [Extract<T, SymbolicTensor | Variable>] extends [never] ? Tensor : SymbolicTensor

/** Options of an op, by name. */
export type OpOptions = Readonly<Record<string, unknown>>

/** Where an op stands in Keras's files. */
export interface KerasOp {
  readonly module: 'keras.src.ops.numpy' | 'keras.src.ops.nn' | 'keras.src.ops.core'
  readonly className: string
}

/** An op of the public surface, built from native ops. */
export interface OpDefinition {
  /** The name as in `ops.name`. */
  readonly name: string
  /** Keras's class for it, if files can hold it. */
  readonly keras?: KerasOp
  /** Writes the computation down. Operands are whatever the caller gave; `trace.convert` and {@link binary} turn them into tensors. */
  trace(trace: Trace, operands: readonly unknown[], options: OpOptions): Structure<SymbolicTensor>
}

const byKerasClass = new Map<string, OpDefinition>()

/** Makes an op known to files. */
export function defineOp(definition: OpDefinition): OpDefinition {
  if (definition.keras) byKerasClass.set(`${definition.keras.module}.${definition.keras.className}`, definition)
  return definition
}

/** The op that a file names, from a closed list. */
export function findKerasOp(module: string, className: string): OpDefinition | undefined {
  return byKerasClass.get(`${module}.${className}`)
}

/** An op that was called on symbolic tensors of a model's graph: what its nodes call. */
export class OpCall implements Operation {
  readonly name: string
  readonly inboundNodes: Node[] = []
  readonly definition: OpDefinition

  constructor(definition: OpDefinition, name?: string) {
    this.definition = definition
    this.name = name ?? uniqueName(toSnakeCase(definition.keras?.className ?? definition.name))
  }

  invoke(args: readonly unknown[], kwargs: OpOptions): Structure<SymbolicTensor> {
    const trace = args.flatMap((arg) => [arg].flat(8)).map(traceOf).find((t) => t !== undefined) ?? currentTrace()
    if (!trace) throw new StateError(`${this.name}: expected to be called while a graph is traced`)
    return this.definition.trace(trace, args, kwargs)
  }
}

/**
 * Calls an op: on symbolic tensors of a model's graph it adds a node, inside a layer's `call` it writes itself down,
 * on tensors and numbers it runs at once.
 */
export function callOp(definition: OpDefinition, operands: readonly unknown[], options: OpOptions = {}): Structure<SymbolicTensor> | Structure<Tensor> {
  const call: CallArguments = { args: operands, kwargs: withoutUndefined(options) }
  const symbolic = tensorsOf(call)
  if (symbolic.some((t) => t.origin.kind === 'node')) return callOnNodes(new OpCall(definition), call)
  const trace = traceOf(symbolic[0]) ?? currentTrace()
  if (trace) return definition.trace(trace, call.args, call.kwargs)
  return runNow(definition.name, call, (traced) => definition.trace(currentTrace() as Trace, traced.args, traced.kwargs))
}

function withoutUndefined(options: OpOptions): OpOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Adds a node: the operation is traced once on placeholders, so the native shape rules answer at this very line. */
export function callOnNodes(operation: Operation, call: CallArguments): Structure<SymbolicTensor> {
  const outside = tensorsOf(call).find((t) => t.origin.kind === 'trace')
  if (outside) {
    throw new StateError(`'${operation.name}': expected tensors of one graph, received ${outside} of a call being traced beside tensors of a model`)
  }
  const outputs = traceOnPlaceholders(operation, call)
  const node = new Node(operation, call)
  let index = 0
  const suffix = node.index === 0 ? '' : `_${node.index}`
  node.outputs = mapStructure(outputs, (output) => {
    const name = `${operation.name}${suffix}${index === 0 ? '' : `:${index}`}`
    return new SymbolicTensor(output.shape, output.dtype, name, { kind: 'node', node, index: index++ })
  })
  return node.outputs
}

/** What an operation returns for arguments whose tensors are only known by shape and type. */
function traceOnPlaceholders(operation: Operation, call: CallArguments): Structure<SymbolicTensor> {
  const trace = new Trace(operation.name)
  const placeholders = new Map<SymbolicTensor, SymbolicTensor>()
  const traced = mapArguments(call, (value) => {
    if (!(value instanceof SymbolicTensor)) return value
    const known = placeholders.get(value) ?? trace.input(value.shape, value.dtype, value.name)
    placeholders.set(value, known)
    return known
  })
  try {
    return trace.within(() => operation.invoke(traced.args, traced.kwargs))
  } catch (error) {
    throw named(error, operation, tensorsOf(call))
  }
}

/** Adds whose call failed and where its operands come from, once, to an error of the shape rules. */
export function named(error: unknown, operation: Operation, operands: readonly SymbolicTensor[]): unknown {
  if (!(error instanceof ShapeError) || 'operation' in error.details) return error
  const kind = operation instanceof OpCall ? operation.definition.name : operation.constructor.name
  const from = [...new Set(operands.map((t) => t.name))].map((name) => `'${name}'`).join(', ')
  const origin = from ? ` (from ${from})` : ''
  return new ShapeError(`${kind} '${operation.name}': ${error.message}${origin}`, { ...error.details, operation: operation.name }, { cause: error })
}

/** Runs a call on data at once: a small program of its own. */
export function runNow(label: string, call: CallArguments, body: (call: CallArguments) => Structure<SymbolicTensor>, training = false): Structure<Tensor> {
  const trace = new Trace(label, training)
  const inputs: Tensor[] = []
  const seen = new Map<Tensor, SymbolicTensor>()
  const traced = mapArguments(call, (value) => {
    if (!(value instanceof Tensor)) return value
    const known = seen.get(value)
    if (known) return known
    inputs.push(value)
    const input = trace.input(value.shape, value.dtype, `argument ${inputs.length}`)
    seen.set(value, input)
    return input
  })
  const structure = trace.within(() => body(traced))
  const results = trace.compile(flatten(structure)).runSync(inputs)
  let next = 0
  return mapStructure(structure, () => results[next++] as Tensor)
}

/** Casts where the type differs. */
export function cast(trace: Trace, x: SymbolicTensor, dtype: DType): SymbolicTensor {
  return x.dtype === dtype ? x : first(trace.emit('cast', { dtype }, [x]))
}

/** The only result of an op that has one. */
export function first(results: readonly SymbolicTensor[]): SymbolicTensor {
  return results[0] as SymbolicTensor
}

/**
 * Two operands brought to one type, by Keras's rules: a plain number takes the other's type unless it is a fraction
 * beside integers; otherwise bool < uint8 < int32 < float32.
 */
export function promoted(trace: Trace, a: unknown, b: unknown): [SymbolicTensor, SymbolicTensor] {
  const [left, right] = [weak(a), weak(b)]
  if (left !== undefined && right !== undefined) return [trace.convert(left, 'float32'), trace.convert(right, 'float32')]
  if (left !== undefined) return swap(withNumber(trace, trace.convert(b), left))
  if (right !== undefined) return withNumber(trace, trace.convert(a), right)
  const [x, y] = [trace.convert(a), trace.convert(b)]
  const dtype = dtypes[Math.max(dtypes.indexOf(x.dtype), dtypes.indexOf(y.dtype))] as DType
  return [cast(trace, x, dtype), cast(trace, y, dtype)]
}

function weak(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function swap<T>([a, b]: [T, T]): [T, T] {
  return [b, a]
}

function withNumber(trace: Trace, x: SymbolicTensor, value: number): [SymbolicTensor, SymbolicTensor] {
  const dtype: DType = x.dtype === 'float32' || !Number.isInteger(value) ? 'float32' : 'int32'
  return [cast(trace, x, dtype), trace.convert(value, dtype)]
}

/** Applies a native op to two operands of one type. */
export function binary(trace: Trace, op: string, a: unknown, b: unknown): SymbolicTensor {
  return first(trace.emit(op, {}, promoted(trace, a, b)))
}

/** An operand as float32. */
export function float(trace: Trace, x: unknown): SymbolicTensor {
  return cast(trace, trace.convert(x, 'float32'), 'float32')
}

/** An operand that must be a tensor of known rank, as an op without promotion takes it. */
export function operand(trace: Trace, x: unknown): SymbolicTensor {
  return trace.convert(x)
}

/** An axis counted from the front. */
export function axisOf(owner: string, axis: unknown, rank: number): number {
  if (typeof axis !== 'number' || !Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${owner}: expected an axis in ${-rank}..${rank - 1}, received ${show(axis)}`, { axis, rank })
  }
  return axis < 0 ? axis + rank : axis
}

export { tensor }
