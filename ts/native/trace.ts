import { ConfigError, StateError } from '../core/errors.ts'
import { SymbolicTensor, type TraceHandle } from '../core/symbolic.ts'
import type { DType, Shape } from '../core/types.ts'
import { addon, type NativeGraph } from './addon.ts'
import { translated } from './errors.ts'
import { Program } from './program.ts'
import { currentPrecision, type Precision } from './settings.ts'
import { Tensor, tensor, type TensorLike } from './tensor.ts'
import { Variable } from './variable.ts'

/** Attributes of an op, as JSON. */
export type Attributes = Readonly<Record<string, unknown>>

/**
 * One walk through the calls of layers and ops that writes them down as a native graph. Layers see it only through
 * the symbolic tensors they are given; what they do besides returning values (assigning variables, adding losses) is
 * collected here.
 */
export class Trace implements TraceHandle {
  readonly label: string
  /** Whether layers behave as in training where the call does not say. */
  training: boolean
  /** How convolutions are computed: what was set when the trace began. */
  readonly precision: Precision = currentPrecision()
  /** Penalties that layers added with `addLoss`, scalars. */
  readonly losses: SymbolicTensor[] = []
  readonly #graph: NativeGraph = new addon.NativeGraph()
  readonly #assigned = new Map<Variable, SymbolicTensor>()
  /** Gives the variable that stands for another one in this trace: evaluation keeps metric state of its own. */
  standIn: (variable: Variable) => Variable = (variable) => variable

  constructor(label: string, training = false) {
    this.label = label
    this.training = training
  }

  /** Adds an input of the program. */
  input(shape: Shape, dtype: DType, name = 'input'): SymbolicTensor {
    return this.#value(
      translated(() => this.#graph.input(dtype, [...shape])),
      name,
    )
  }

  /** Applies a native op. `where` goes in front of an error's sentence. */
  emit(op: string, attributes: Attributes, operands: readonly SymbolicTensor[]): SymbolicTensor[] {
    const ids = operands.map((operand) => this.#id(operand))
    return translated(() => this.#graph.emit(op, JSON.stringify(attributes, nonFiniteAsWord), ids)).map((id) => this.#value(id, op))
  }

  /** The value of a variable: the one assigned in this trace, or the one it has when the program runs. */
  read(named: Variable): SymbolicTensor {
    const variable = this.standIn(named)
    return (
      this.#assigned.get(variable) ??
      this.#value(
        translated(() => this.#graph.variable(variable.native)),
        variable.name,
      )
    )
  }

  /** Adds a constant. */
  constant(value: Tensor): SymbolicTensor {
    return this.#value(
      translated(() => this.#graph.constant(value.native)),
      'constant',
    )
  }

  /** A symbolic tensor for anything that can be one here. Numbers and arrays take `dtype`. */
  convert(value: unknown, dtype?: DType): SymbolicTensor {
    if (value instanceof SymbolicTensor) {
      this.#id(value)
      return value
    }
    if (value instanceof Variable) return this.read(value)
    return this.constant(tensor(value as TensorLike, undefined, value instanceof Tensor ? undefined : dtype))
  }

  /** Gives a variable its next value. */
  assign(named: Variable, value: unknown): void {
    const variable = this.standIn(named)
    const next = this.convert(value, variable.dtype)
    const differs = next.dtype !== variable.dtype || next.shape.length !== variable.shape.length
    if (differs || next.shape.some((extent, axis) => extent !== null && extent !== variable.shape[axis])) {
      throw new ConfigError(`variable '${variable.path}': expected a value like ${variable}, received ${next}`)
    }
    this.#assigned.set(variable, next)
  }

  /** The gradients of a scalar with respect to values of this trace; `undefined` where none flows. */
  gradients(loss: SymbolicTensor, wrt: readonly SymbolicTensor[]): (SymbolicTensor | undefined)[] {
    const ids = wrt.map((value) => this.#id(value))
    return translated(() => this.#graph.gradients(this.#id(loss), ids)).map((id) =>
      id === null ? undefined : this.#value(id, 'gradient'),
    )
  }

  /** Compiles what was traced. The program's inputs are those of {@link Trace.input} in order. */
  compile(outputs: readonly SymbolicTensor[]): Program {
    const updates = [...this.#assigned].map(([variable, value]) => ({ variable: variable.native, value: this.#id(value) }))
    return new Program(translated(() => this.#graph.compile(outputs.map((output) => this.#id(output)), updates)))
  }

  /** The graph as text. */
  text(): string {
    return translated(() => this.#graph.text())
  }

  /** Runs `body` with this trace as the one that variables and ops without operands use. */
  within<R>(body: () => R): R {
    stack.push(this)
    try {
      return body()
    } finally {
      stack.pop()
    }
  }

  #id(value: SymbolicTensor): number {
    if (value.origin.kind === 'trace' && value.origin.trace === this) return value.origin.id
    throw new StateError(
      `expected a tensor of the call being traced (${this.label}), received ${value}: a tensor from outside 'call' must be passed as an argument`,
    )
  }

  #value(id: number, name: string): SymbolicTensor {
    const { shape, dtype } = translated(() => this.#graph.describe(id))
    return new SymbolicTensor(shape, dtype, name, { kind: 'trace', trace: this, id })
  }
}

/** JSON has no infinities and no NaN; the ops read their names. */
function nonFiniteAsWord(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

const stack: (Trace | undefined)[] = []

/** The innermost trace under way, if any. */
export function currentTrace(): Trace | undefined {
  return stack.at(-1)
}

/** Runs `body` outside any trace: initializers compute at once even while a layer is built inside a call. */
export function withoutTrace<R>(body: () => R): R {
  stack.push(undefined)
  try {
    return body()
  } finally {
    stack.pop()
  }
}

/** The trace a value belongs to, if it belongs to one. */
export function traceOf(value: unknown): Trace | undefined {
  return value instanceof SymbolicTensor && value.origin.kind === 'trace' ? (value.origin.trace as Trace) : undefined
}
