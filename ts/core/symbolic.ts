import type { Node } from './node.ts'
import { formatShape, type DType, type Shape } from './types.ts'

/** The part of a trace that a symbolic tensor needs to know. */
export interface TraceHandle {
  /** Tells traces apart in messages. */
  readonly label: string
}

/** Where a symbolic tensor comes from: a node of a model's graph, or a value of the graph that is being traced. */
export type SymbolicOrigin =
  | { readonly kind: 'node'; readonly node: Node; readonly index: number }
  | { readonly kind: 'trace'; readonly trace: TraceHandle; readonly id: number }

/**
 * Shape and element type without data: what `Input` makes and what a layer or an op gives back when it is called on
 * one. An extent that is not known yet is `null`.
 */
export class SymbolicTensor {
  /** Extents; `null` is one not known yet. */
  readonly shape: Shape
  /** Element type. */
  readonly dtype: DType
  /** The name: of the input, or made from the layer's. */
  readonly name: string
  /** @internal */
  readonly origin: SymbolicOrigin
  /** @internal A bool tensor `[batch, steps]` that says which steps count; only while tracing. */
  mask: SymbolicTensor | undefined

  /** @internal Symbolic tensors are made by `Input`, layers and ops. */
  constructor(shape: Shape, dtype: DType, name: string, origin: SymbolicOrigin) {
    this.shape = Object.freeze([...shape])
    this.dtype = dtype
    this.name = name
    this.origin = origin
    this.mask = undefined
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  toString(): string {
    return `SymbolicTensor(${this.name}: ${this.dtype}${formatShape(this.shape)})`
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
