import type { SymbolicTensor } from '../core/symbolic.ts'
import { callOp, cast, defineOp, first, operand, type Operand, type Result } from './op.ts'

/** Along which axes to reduce. */
export interface ReduceOptions {
  /** An axis or several; negative ones count from the end. Left out: all. */
  readonly axis?: number | readonly number[]
  /** Keep reduced axes with extent 1. Default `false`. */
  readonly keepdims?: boolean
}

type Reduce = <T extends Operand>(x: T, options?: ReduceOptions) => Result<T>

function axes(axis: unknown): number[] | null {
  return axis === undefined || axis === null ? null : typeof axis === 'number' ? [axis] : [...(axis as number[])]
}

function reduction(name: string, prepare: (x: SymbolicTensor) => SymbolicTensor['dtype']): Reduce {
  const op = defineOp({
    name,
    keras: { module: 'keras.src.ops.numpy', className: name[0]?.toUpperCase() + name.slice(1) },
    trace: (trace, [x], { axis, keepdims }) => {
      const value = operand(trace, x)
      return first(trace.emit(name, { axes: axes(axis), keepdims: keepdims ?? false }, [cast(trace, value, prepare(value))]))
    },
  })
  return ((x, options = {}) => callOp(op, [x], { ...options })) as Reduce
}

const numeric = (x: SymbolicTensor): SymbolicTensor['dtype'] => (x.dtype === 'float32' ? 'float32' : 'int32')

/** The sum along axes. */
export const sum: Reduce = reduction('sum', numeric)
/** The product along axes. */
export const prod: Reduce = reduction('prod', numeric)
/** The mean along axes, float32; of nothing it is NaN. */
export const mean: Reduce = reduction('mean', () => 'float32')
/** The largest element along axes; NaN if any is. Ties share the gradient evenly. */
export const max: Reduce = reduction('max', numeric)
/** The smallest element along axes; NaN if any is. Ties share the gradient evenly. */
export const min: Reduce = reduction('min', numeric)
/** Whether any element holds, along axes; bool. */
export const any: Reduce = reduction('any', () => 'bool')
/** Whether all elements hold, along axes; bool. */
export const all: Reduce = reduction('all', () => 'bool')

interface ArgOptions {
  /** The axis to search. Default: the last. */
  readonly axis?: number
  /** Keep the axis with extent 1. Default `false`. */
  readonly keepdims?: boolean
}

function arg(name: string, className: string): <T extends Operand>(x: T, options?: ArgOptions) => Result<T> {
  const op = defineOp({
    name,
    keras: { module: 'keras.src.ops.numpy', className },
    trace: (trace, [x], { axis, keepdims }) => {
      const value = operand(trace, x)
      return first(trace.emit(name, { axis: axis ?? -1, keepdims: keepdims ?? false }, [cast(trace, value, numeric(value))]))
    },
  })
  return <T extends Operand>(x: T, options: ArgOptions = {}) => callOp(op, [x], { axis: -1, ...options }) as Result<T>
}

/** Where the largest element is along an axis: the first of ties; int32. */
export const argmax: <T extends Operand>(x: T, options?: ArgOptions) => Result<T> = arg('argmax', 'Argmax')
/** Where the smallest element is along an axis: the first of ties; int32. */
export const argmin: <T extends Operand>(x: T, options?: ArgOptions) => Result<T> = arg('argmin', 'Argmin')

const sizeOp = defineOp({
  name: 'size',
  trace: (trace, [x], { axis }) => first(trace.emit('size', { axes: axes(axis) }, [operand(trace, x)])),
})
/** The number of elements along axes as a float32 scalar, known when the program runs. */
export function size<T extends Operand>(x: T, options: { readonly axis?: number | readonly number[] } = {}): Result<T> {
  return callOp(sizeOp, [x], { ...options }) as Result<T>
}
