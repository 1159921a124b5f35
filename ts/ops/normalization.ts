import type { SymbolicTensor } from '../core/symbolic.ts'
import { axisOf, callOp, defineOp, first, float, type Operand, type Result } from './op.ts'

/** Options of batch normalization. */
export interface BatchNormOptions {
  /** The axis of the channels. Default -1. */
  readonly axis?: number
  /** Added to the variance. Default 0.001. */
  readonly epsilon?: number
}

const trainingOp = defineOp({
  name: 'batchNormTraining',
  trace: (trace, [x, gamma, beta], { axis, epsilon }) => {
    const value = float(trace, x)
    const options = { axis: axisOf('batchNormTraining', axis ?? -1, value.rank), epsilon: epsilon ?? 1e-3 }
    return trace.emit('batch_norm_training', options, [value, float(trace, gamma), float(trace, beta)]).slice(0, 3)
  },
})
/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta` with the mean and the (biased) variance of the batch over all
 * axes but one. Returns the result, the mean and the variance.
 */
export function batchNormTraining<T extends Operand>(x: T, gamma: Operand, beta: Operand, options: BatchNormOptions = {}): [Result<T>, Result<T>, Result<T>] {
  return callOp(trainingOp, [x, gamma, beta], { ...options }) as never
}

const inferenceOp = defineOp({
  name: 'batchNormInference',
  trace: (trace, [x, gamma, beta, mean, variance], { axis, epsilon }) => {
    const value = float(trace, x)
    const options = { axis: axisOf('batchNormInference', axis ?? -1, value.rank), epsilon: epsilon ?? 1e-3 }
    return first(trace.emit('batch_norm_inference', options, [value, ...[gamma, beta, mean, variance].map((p) => float(trace, p))]))
  },
})
/** `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, one value of each parameter per extent of an axis. */
export function batchNormInference<T extends Operand>(
  x: T,
  parameters: { readonly gamma: Operand; readonly beta: Operand; readonly mean: Operand; readonly variance: Operand },
  options: BatchNormOptions = {},
): Result<T> {
  const { gamma, beta, mean, variance } = parameters
  return callOp(inferenceOp, [x, gamma, beta, mean, variance], { ...options }) as Result<T>
}

const standardizeOp = defineOp({
  name: 'standardize',
  trace: (trace, [x], { epsilon }) => first(trace.emit('standardize', { epsilon: epsilon as number }, [float(trace, x)])),
})
/** `(x - mean) / sqrt(variance + epsilon)` with the mean and the (biased) variance of each row along the last axis. */
export function standardize<T extends Operand>(x: T, epsilon = 1e-3): Result<T> {
  return callOp(standardizeOp, [x], { epsilon }) as Result<T>
}

// Keras's `epsilon()`, the least norm that `normalize` divides by.
const leastNorm = 1e-7

const normalizeOp = defineOp({
  name: 'normalize',
  trace: (trace, [x], { axis }) => {
    const value = float(trace, x)
    const emit = (op: string, operands: SymbolicTensor[], attributes = {}): SymbolicTensor => first(trace.emit(op, attributes, operands))
    const length = emit('sum', [emit('square', [value])], { axes: [axisOf('normalize', axis, value.rank)], keepdims: true })
    const limited = emit('maximum', [length, trace.convert(leastNorm * leastNorm, 'float32')])
    return emit('multiply', [value, emit('rsqrt', [limited])])
  },
})
/** Vectors along an axis divided by their L2 norm, which counts as at least 1e-7. */
export function normalize<T extends Operand>(x: T, axis = -1): Result<T> {
  return callOp(normalizeOp, [x], { axis }) as Result<T>
}
