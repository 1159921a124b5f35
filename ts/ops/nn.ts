import { callOp, defineOp, first, float, operand, cast, type KerasOp, type Operand, type Result } from './op.ts'

function nn(className: string): KerasOp {
  return { module: 'keras.src.ops.nn', className }
}

/** Padding of a window: Keras's words, or cells before and after for height and width. */
export type Padding = 'valid' | 'same' | readonly [readonly [number, number], readonly [number, number]]

const matmulOp = defineOp({
  name: 'matmul',
  keras: { module: 'keras.src.ops.numpy', className: 'Matmul' },
  trace: (trace, [a, b], { transposeA, transposeB }) =>
    first(trace.emit('matmul', { transposeA: transposeA ?? false, transposeB: transposeB ?? false }, [float(trace, a), float(trace, b)])),
})
/** The matrix product of the last two axes, `[..., m, k] x [..., k, n] -> [..., m, n]`; leading axes broadcast. */
export function matmul<A extends Operand, B extends Operand>(a: A, b: B, options: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {}): Result<A | B> {
  return callOp(matmulOp, [a, b], { ...options }) as Result<A | B>
}

const reluOp = defineOp({
  name: 'relu',
  keras: nn('Relu'),
  trace: (trace, [x], { maxValue, negativeSlope, threshold }) =>
    first(trace.emit('relu', { maxValue: maxValue ?? null, negativeSlope: negativeSlope ?? 0, threshold: threshold ?? 0 }, [float(trace, x)])),
})
/** Options of {@link relu}. */
export interface ReluOptions {
  /** Largest result. Default: none. */
  readonly maxValue?: number | null
  /** Slope below the threshold. Default 0. */
  readonly negativeSlope?: number
  /** Where the positive part begins. Default 0. */
  readonly threshold?: number
}
/** `max(x, 0)`, with Keras's options; the gradient at 0 is 0. */
export function relu<T extends Operand>(x: T, options: ReluOptions = {}): Result<T> {
  return callOp(reluOp, [x], { ...options }) as Result<T>
}

function simple(name: string, className: string): <T extends Operand>(x: T) => Result<T> {
  const op = defineOp({ name, keras: nn(className), trace: (trace, [x]) => first(trace.emit(name, {}, [float(trace, x)])) })
  return <T extends Operand>(x: T) => callOp(op, [x]) as Result<T>
}

/** `1 / (1 + e^-x)`. */
export const sigmoid: <T extends Operand>(x: T) => Result<T> = simple('sigmoid', 'Sigmoid')
/** `log(1 + e^x)`, exact for large x. */
export const softplus: <T extends Operand>(x: T) => Result<T> = simple('softplus', 'Softplus')

const eluOp = defineOp({
  name: 'elu',
  keras: nn('Elu'),
  trace: (trace, [x], { alpha }) => first(trace.emit('elu', { alpha: alpha ?? 1 }, [float(trace, x)])),
})
/** `x` where positive, else `alpha * (e^x - 1)`. */
export function elu<T extends Operand>(x: T, alpha = 1): Result<T> {
  return callOp(eluOp, [x], { alpha }) as Result<T>
}

const geluOp = defineOp({
  name: 'gelu',
  keras: nn('Gelu'),
  trace: (trace, [x], { approximate }) => first(trace.emit('gelu', { approximate: approximate ?? true }, [float(trace, x)])),
})
/** The Gaussian error linear unit; `approximate` uses tanh and is the default, as in `keras.ops.gelu`. */
export function gelu<T extends Operand>(x: T, approximate = true): Result<T> {
  return callOp(geluOp, [x], { approximate }) as Result<T>
}

function alongAxis(name: string, native: string, className: string): <T extends Operand>(x: T, axis?: number) => Result<T> {
  const op = defineOp({
    name,
    keras: nn(className),
    trace: (trace, [x], { axis }) => first(trace.emit(native, { axis: axis ?? -1 }, [float(trace, x)])),
  })
  return <T extends Operand>(x: T, axis = -1) => callOp(op, [x], { axis }) as Result<T>
}

/** `e^x / sum(e^x)` along an axis. */
export const softmax: <T extends Operand>(x: T, axis?: number) => Result<T> = alongAxis('softmax', 'softmax', 'Softmax')
/** The logarithm of {@link softmax}, exact where it is small. */
export const logSoftmax: <T extends Operand>(x: T, axis?: number) => Result<T> = alongAxis('logSoftmax', 'log_softmax', 'LogSoftmax')

/** Options of {@link conv2d}. */
export interface ConvOptions {
  /** Steps between windows, height then width. Default `[1, 1]`. */
  readonly strides?: readonly [number, number]
  /** Default `'valid'`. */
  readonly padding?: Padding
  /** Distance between the taps of the kernel. Default `[1, 1]`. */
  readonly dilation?: readonly [number, number]
  /** Into how many independent parts the channels are cut. Default 1. */
  readonly groups?: number
}

const conv2dOp = defineOp({
  name: 'conv2d',
  trace: (trace, [x, kernel], { strides, padding, dilation, groups }) =>
    first(
      trace.emit(
        'conv2d',
        {
          strides: strides ?? [1, 1],
          padding: padding ?? 'valid',
          dilation: dilation ?? [1, 1],
          groups: groups ?? 1,
          strict: trace.precision === 'strict',
        },
        [float(trace, x), float(trace, kernel)],
      ),
    ),
})
/** Cross-correlation of images `[N, H, W, C]` with a kernel `[kh, kw, C / groups, F]`. */
export function conv2d<A extends Operand, B extends Operand>(x: A, kernel: B, options: ConvOptions = {}): Result<A | B> {
  return callOp(conv2dOp, [x, kernel], { ...options }) as Result<A | B>
}

const depthwiseConv2dOp = defineOp({
  name: 'depthwiseConv2d',
  trace: (trace, [x, kernel], { strides, padding, dilation }) =>
    first(
      trace.emit('depthwise_conv2d', { strides: strides ?? [1, 1], padding: padding ?? 'valid', dilation: dilation ?? [1, 1] }, [
        float(trace, x),
        float(trace, kernel),
      ]),
    ),
})
/** Cross-correlation of each channel of `[N, H, W, C]` on its own, with a kernel `[kh, kw, C, M]`: `[N, H', W', C * M]`. */
export function depthwiseConv2d<A extends Operand, B extends Operand>(x: A, kernel: B, options: Omit<ConvOptions, 'groups'> = {}): Result<A | B> {
  return callOp(depthwiseConv2dOp, [x, kernel], { ...options }) as Result<A | B>
}

/** Options of {@link conv2dTranspose}. */
export interface ConvTransposeOptions extends Omit<ConvOptions, 'padding' | 'groups'> {
  /** Height, width and channels of the result. */
  readonly outputShape: readonly [number, number, number]
  /** Padding of the convolution that this one transposes: what is cut off before and after. */
  readonly padding?: Padding
}

const conv2dTransposeOp = defineOp({
  name: 'conv2dTranspose',
  trace: (trace, [x, kernel], { outputShape, strides, padding, dilation }) => {
    const input = float(trace, x)
    const shape = [null, ...(outputShape as number[])]
    const like = first(trace.emit('fill', { shape, value: 0, dtype: 'float32' }, [input]))
    const strict = trace.precision === 'strict'
    const attributes = { strides: strides ?? [1, 1], padding: padding ?? 'valid', dilation: dilation ?? [1, 1], groups: 1, strict }
    return first(trace.emit('conv2d_input_gradient', attributes, [input, float(trace, kernel), like]))
  },
})
/** The transpose of {@link conv2d}: images `[N, H, W, C]` with a kernel `[kh, kw, F, C]` to `[N, ...outputShape]`. */
export function conv2dTranspose<A extends Operand, B extends Operand>(x: A, kernel: B, options: ConvTransposeOptions): Result<A | B> {
  return callOp(conv2dTransposeOp, [x, kernel], { ...options }) as Result<A | B>
}

/** Options of the pooling ops. */
export interface PoolOptions {
  /** Extents of the window. */
  readonly poolSize: readonly [number, number]
  /** Steps between windows. Default: the window's extents. */
  readonly strides?: readonly [number, number]
  /** Default `'valid'`. */
  readonly padding?: Padding
}

function pooling(name: string, native: string): <T extends Operand>(x: T, options: PoolOptions) => Result<T> {
  const op = defineOp({
    name,
    trace: (trace, [x], { poolSize, strides, padding }) =>
      first(trace.emit(native, { poolSize, strides: strides ?? poolSize, padding: padding ?? 'valid' }, [float(trace, x)])),
  })
  return <T extends Operand>(x: T, options: PoolOptions) => callOp(op, [x], { ...options }) as Result<T>
}

/** The largest cell of each window of `[N, H, W, C]`. Padding never wins. */
export const maxPool2d: <T extends Operand>(x: T, options: PoolOptions) => Result<T> = pooling('maxPool2d', 'max_pool2d')
/** The mean of the real cells of each window of `[N, H, W, C]`. */
export const averagePool2d: <T extends Operand>(x: T, options: PoolOptions) => Result<T> = pooling('averagePool2d', 'average_pool2d')

const isFiniteOp = defineOp({
  name: 'isFinite',
  keras: { module: 'keras.src.ops.numpy', className: 'Isfinite' },
  trace: (trace, [x]) => first(trace.emit('is_finite', {}, [cast(trace, operand(trace, x), 'float32')])),
})
/** Where elements are neither infinite nor NaN; bool. */
export function isFinite<T extends Operand>(x: T): Result<T> {
  return callOp(isFiniteOp, [x]) as Result<T>
}
