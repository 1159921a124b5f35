import { ShapeError } from '../core/errors.ts'
import { formatShape, type DType } from '../core/types.ts'
import { addon, type NativeVariable } from './addon.ts'
import { translated } from './errors.ts'
import { Tensor, tensor, type TensorLike } from './tensor.ts'
import { currentTrace } from './trace.ts'

/** How a variable takes part in training. */
export interface VariableOptions {
  /** Whether optimizers change it. Default `true`. */
  readonly trainable?: boolean
  /** Adds a penalty on the value to the loss. */
  readonly regularizer?: ((value: unknown) => unknown) | null
  /** Applied to the value after each optimizer step. */
  readonly constraint?: ((value: unknown) => unknown) | null
}

/**
 * Named, typed storage that outlives a run: a weight, an optimizer slot, the state of a metric. One per process,
 * shared by every model that uses the layer.
 */
export class Variable {
  /** The name within its owner, such as `kernel`. */
  readonly name: string
  /** Owner and name, such as `dense/kernel`. */
  path: string
  /** Whether optimizers change it. */
  trainable: boolean
  /** @internal */
  readonly regularizer: VariableOptions['regularizer']
  /** @internal */
  readonly constraint: VariableOptions['constraint']
  /** @internal */
  readonly native: NativeVariable

  constructor(name: string, value: Tensor, options: VariableOptions = {}) {
    this.name = name
    this.path = name
    this.trainable = options.trainable ?? true
    this.regularizer = options.regularizer ?? null
    this.constraint = options.constraint ?? null
    this.native = translated(() => new addon.NativeVariable(name, value.native))
  }

  /** Extents. */
  get shape(): readonly number[] {
    return this.native.shape
  }

  /** Element type. */
  get dtype(): DType {
    return this.native.dtype
  }

  /** The value now. */
  read(): Tensor {
    return new Tensor(translated(() => this.native.read()))
  }

  /**
   * Replaces the value. Inside a layer's `call` the new value stands for the rest of the call and is stored when the
   * run has succeeded.
   *
   * @throws ShapeError when shape or type differ.
   */
  assign(value: unknown): void {
    const trace = currentTrace()
    if (trace) {
      trace.assign(this, value)
      return
    }
    const next = tensor(value as TensorLike, undefined, value instanceof Tensor ? undefined : this.dtype)
    if (next.dtype !== this.dtype || formatShape(next.shape) !== formatShape(this.shape)) {
      throw new ShapeError(
        `variable '${this.path}': expected ${this.dtype}${formatShape(this.shape)}, received ${next.dtype}${formatShape(next.shape)}`,
        { variable: this.path, expected: this.shape, received: next.shape },
      )
    }
    translated(() => this.native.assign(next.native))
  }

  toString(): string {
    return `Variable(${this.path}: ${this.dtype}${formatShape(this.shape)})`
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
