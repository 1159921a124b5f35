import { ConfigError, ShapeError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type DType } from '../core/types.ts'
import type { Trace } from '../native/trace.ts'
import { axisOf, callOp, cast, defineOp, first, operand, promoted, type KerasOp, type Operand, type Result } from './op.ts'

function numpy(className: string): KerasOp {
  return { module: 'keras.src.ops.numpy', className }
}

const reshapeOp = defineOp({
  name: 'reshape',
  keras: numpy('Reshape'),
  trace: (trace, [x], { newshape }) => first(trace.emit('reshape', { shape: newshape }, [operand(trace, x)])),
})
/** The elements under another shape. One extent may be -1 (what is left); `null` keeps the extent of that axis. */
export function reshape<T extends Operand>(x: T, shape: readonly (number | null)[]): Result<T> {
  return callOp(reshapeOp, [x], { newshape: shape }) as Result<T>
}

const transposeOp = defineOp({
  name: 'transpose',
  keras: numpy('Transpose'),
  trace: (trace, [x], { axes }) => {
    const value = operand(trace, x)
    const order = (axes as number[] | null | undefined) ?? value.shape.map((_, axis) => value.rank - 1 - axis)
    return first(trace.emit('transpose', { axes: order }, [value]))
  },
})
/** Axes in another order; left out, reversed. */
export function transpose<T extends Operand>(x: T, axes?: readonly number[]): Result<T> {
  return callOp(transposeOp, [x], { axes }) as Result<T>
}

const expandDimsOp = defineOp({
  name: 'expandDims',
  keras: numpy('ExpandDims'),
  trace: (trace, [x], { axis }) => insertAxis(trace, operand(trace, x), axis as number),
})
/** A new axis of extent 1. */
export function expandDims<T extends Operand>(x: T, axis: number): Result<T> {
  return callOp(expandDimsOp, [x], { axis }) as Result<T>
}

/** A new axis of extent 1, in a trace. */
function insertAxis(trace: Trace, x: SymbolicTensor, axis: number): SymbolicTensor {
  const at = axisOf('expandDims', axis, x.rank + 1)
  const shape = known('expandDims', [...x.shape.slice(0, at), 1, ...x.shape.slice(at)], at)
  return first(trace.emit('reshape', { shape }, [x]))
}

/** Unknown extents of the first `kept` axes stay those of the operand; of the others at most one may be unknown, as -1. */
function known(owner: string, shape: readonly (number | null)[], kept: number): (number | null)[] {
  if (shape.slice(kept).filter((extent) => extent === null).length > 1) {
    throw new ShapeError(`${owner}: expected at most one unknown extent after axis ${kept}, received ${formatShape(shape)}`)
  }
  return shape.map((extent, axis) => (axis < kept ? extent : (extent ?? -1)))
}

const squeezeOp = defineOp({
  name: 'squeeze',
  keras: numpy('Squeeze'),
  trace: (trace, [x], { axis }) => {
    const value = operand(trace, x)
    const wanted = axis === undefined || axis === null ? undefined : [axis].flat().map((a) => axisOf('squeeze', a, value.rank))
    const dropped = wanted ?? value.shape.flatMap((extent, at) => (extent === 1 ? [at] : []))
    const wrong = dropped.find((at) => value.shape[at] !== 1)
    if (wrong !== undefined) {
      throw new ShapeError(`squeeze: expected extent 1 on axis ${wrong}, received ${formatShape(value.shape)}`)
    }
    const shape = known('squeeze', value.shape.filter((_, at) => !dropped.includes(at)), Math.min(...dropped, value.rank))
    return first(trace.emit('reshape', { shape }, [value]))
  },
})
/** Without axes of extent 1: all of them, or the ones named. */
export function squeeze<T extends Operand>(x: T, axis?: number | readonly number[]): Result<T> {
  return callOp(squeezeOp, [x], { axis }) as Result<T>
}

/** Several operands brought to one type. */
function alike(trace: Trace, list: readonly unknown[]): SymbolicTensor[] {
  const values = list.map((x) => operand(trace, x))
  const widest = values.reduce<SymbolicTensor | undefined>((a, b) => (a ? promoted(trace, a, b)[0] : b), undefined)
  return widest ? values.map((x) => cast(trace, x, widest.dtype)) : values
}

const concatenateOp = defineOp({
  name: 'concatenate',
  keras: numpy('Concatenate'),
  trace: (trace, [list], { axis }) => first(trace.emit('concatenate', { axis: axis ?? 0 }, alike(trace, list as unknown[]))),
})
/** Tensors one after the other along an axis. */
export function concatenate<T extends Operand>(list: readonly T[], axis = 0): Result<T> {
  return callOp(concatenateOp, [list], { axis }) as Result<T>
}

const stackOp = defineOp({
  name: 'stack',
  keras: numpy('Stack'),
  trace: (trace, [list], { axis }) => {
    const values = alike(trace, list as unknown[]).map((x) => insertAxis(trace, x, axis as number))
    const rank = values[0]?.rank ?? 1
    return first(trace.emit('concatenate', { axis: axisOf('stack', axis, rank) }, values))
  },
})
/** Tensors of one shape beside each other along a new axis. */
export function stack<T extends Operand>(list: readonly T[], axis = 0): Result<T> {
  return callOp(stackOp, [list], { axis }) as Result<T>
}

/** A part of one axis: an index, or a range with an optional step. `null` stands for all of it. */
export type SliceRange = number | readonly [begin: number | null, end: number | null, step?: number] | null

const getItemOp = defineOp({
  name: 'getItem',
  trace: (trace, [x], { ranges }) => {
    const value = operand(trace, x)
    const list = ranges as readonly SliceRange[]
    if (list.length > value.rank) {
      throw new ShapeError(`slice: expected at most ${value.rank} ranges for ${formatShape(value.shape)}, received ${list.length}`)
    }
    const full = value.shape.map((_, axis) => list[axis] ?? null)
    const begin = full.map((r) => (typeof r === 'number' ? r : (r?.[0] ?? 0)))
    const end = full.map((r) => (typeof r === 'number' ? (r === -1 ? null : r + 1) : (r?.[1] ?? null)))
    const strides = full.map((r) => (typeof r === 'number' ? 1 : (r?.[2] ?? 1)))
    const part = first(trace.emit('slice', { begin, end, strides }, [value]))
    const dropped = full.flatMap((r, axis) => (typeof r === 'number' ? [axis] : []))
    if (dropped.length === 0) return part
    const shape = known('slice', part.shape.filter((_, axis) => !dropped.includes(axis)), Math.min(...dropped))
    return first(trace.emit('reshape', { shape }, [part]))
  },
})
/** A part of a tensor: a range or an index for each axis from the first; an index removes its axis, as in NumPy. */
export function slice<T extends Operand>(x: T, ranges: readonly SliceRange[]): Result<T> {
  return callOp(getItemOp, [x], { ranges }) as Result<T>
}

const reverseOp = defineOp({
  name: 'flip',
  keras: numpy('Flip'),
  trace: (trace, [x], { axis }) => {
    const value = operand(trace, x)
    const axes = axis === undefined || axis === null ? value.shape.map((_, at) => at) : [axis].flat()
    return first(trace.emit('reverse', { axes }, [value]))
  },
})
/** Elements in reverse order along axes; left out, along all. */
export function flip<T extends Operand>(x: T, axis?: number | readonly number[]): Result<T> {
  return callOp(reverseOp, [x], { axis }) as Result<T>
}

const padOp = defineOp({
  name: 'pad',
  keras: numpy('Pad'),
  trace: (trace, [x, value], { padWidth, mode }) => {
    if (mode !== undefined && mode !== 'constant') {
      throw new ConfigError(`pad: expected mode 'constant', received ${show(mode)}`)
    }
    const tensor = operand(trace, x)
    const widths = padWidth as number | readonly (number | readonly [number, number])[]
    const padding = tensor.shape.map((_, axis) => {
      const width = typeof widths === 'number' ? widths : (widths[axis] ?? 0)
      return typeof width === 'number' ? [width, width] : width
    })
    return first(trace.emit('pad', { padding, value: value ?? 0 }, [tensor]))
  },
})
/** Elements put around a tensor: for each axis how many before and after. */
export function pad<T extends Operand>(x: T, widths: readonly (number | readonly [number, number])[], value = 0): Result<T> {
  return callOp(padOp, value === 0 ? [x] : [x, value], { padWidth: widths }) as Result<T>
}

const takeOp = defineOp({
  name: 'take',
  keras: numpy('Take'),
  trace: (trace, [x, indices], { axis }) => {
    const value = operand(trace, x)
    return first(trace.emit('gather', { axis: axisOf('take', axis ?? 0, value.rank) }, [value, cast(trace, trace.convert(indices, 'int32'), 'int32')]))
  },
})
/** The parts of `x` along an axis that int32 `indices` name. An index out of range fails the run. */
export function take<A extends Operand, B extends Operand>(x: A, indices: B, axis = 0): Result<A | B> {
  return callOp(takeOp, [x, indices], { axis }) as Result<A | B>
}

const takeAlongAxisOp = defineOp({
  name: 'takeAlongAxis',
  keras: numpy('TakeAlongAxis'),
  trace: (trace, [x, indices], { axis }) => {
    const value = operand(trace, x)
    return first(trace.emit('take_along_axis', { axis: axisOf('takeAlongAxis', axis, value.rank) }, [value, cast(trace, trace.convert(indices, 'int32'), 'int32')]))
  },
})
/** For each place of `indices` the element of `x` with that index along an axis. */
export function takeAlongAxis<A extends Operand, B extends Operand>(x: A, indices: B, axis = -1): Result<A | B> {
  return callOp(takeAlongAxisOp, [x, indices], { axis }) as Result<A | B>
}

const oneHotOp = defineOp({
  name: 'oneHot',
  keras: { module: 'keras.src.ops.nn', className: 'OneHot' },
  trace: (trace, [x], { numClasses, axis }) =>
    first(trace.emit('one_hot', { depth: numClasses, axis: axis ?? -1 }, [cast(trace, operand(trace, x), 'int32')])),
})
/** 1 at the index, 0 elsewhere, along a new axis; float32. Indices out of range give zeros. */
export function oneHot<T extends Operand>(x: T, numClasses: number, axis = -1): Result<T> {
  return callOp(oneHotOp, [x], { numClasses, axis }) as Result<T>
}

const broadcastToOp = defineOp({
  name: 'broadcastTo',
  keras: numpy('BroadcastTo'),
  trace: (trace, [x], { shape }) => first(trace.emit('broadcast_to', { shape }, [operand(trace, x)])),
})
/** Repeated along axes of extent 1 to a shape; `null` keeps an extent. */
export function broadcastTo<T extends Operand>(x: T, shape: readonly (number | null)[]): Result<T> {
  return callOp(broadcastToOp, [x], { shape }) as Result<T>
}

function filledLike(name: string, className: string, value: number): <T extends Operand>(x: T, dtype?: DType) => Result<T> {
  const op = defineOp({
    name,
    keras: numpy(className),
    trace: (trace, [x], { dtype }) => {
      const like = operand(trace, x)
      return first(trace.emit('fill', { value, dtype: dtype ?? like.dtype, shape: like.shape.map(() => null) }, [like]))
    },
  })
  return <T extends Operand>(x: T, dtype?: DType) => callOp(op, [x], { dtype }) as Result<T>
}

/** Zeros of the same shape. */
export const zerosLike: <T extends Operand>(x: T, dtype?: DType) => Result<T> = filledLike('zerosLike', 'ZerosLike', 0)
/** Ones of the same shape. */
export const onesLike: <T extends Operand>(x: T, dtype?: DType) => Result<T> = filledLike('onesLike', 'OnesLike', 1)

const fillOp = defineOp({
  name: 'fill',
  trace: (trace, [like], { shape, value, dtype }) => first(trace.emit('fill', { shape, value, dtype: dtype ?? 'float32' }, [operand(trace, like)])),
})
/** One value everywhere in a shape whose `null` extents are those of `like` on the same axis. */
export function fill<T extends Operand>(like: T, shape: readonly (number | null)[], value: number, dtype: DType = 'float32'): Result<T> {
  return callOp(fillOp, [like], { shape, value, dtype }) as Result<T>
}

const cumsumOp = defineOp({
  name: 'cumsum',
  keras: numpy('Cumsum'),
  trace: (trace, [x], { axis }) => first(trace.emit('cumsum', { axis: axis ?? -1 }, [operand(trace, x)])),
})
/** Running sums along an axis. */
export function cumsum<T extends Operand>(x: T, axis = -1): Result<T> {
  return callOp(cumsumOp, [x], { axis }) as Result<T>
}
