import { ShapeError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'

// Derivatives where a function has a kink are those of Keras with its JAX backend: the forms below, with `maximum` and
// `minimum` sharing evenly between equals, are the ones that backend derives from.

/** `x` itself. */
export function linear(x: SymbolicTensor): SymbolicTensor {
  return x
}

/** `max(x, 0)`; the derivative at 0 is 0. */
export function relu(x: SymbolicTensor): SymbolicTensor {
  return ops.relu(x)
}

/** `min(max(x, 0), 6)`; the derivative at 0 and at 6 is 0. */
export function relu6(x: SymbolicTensor): SymbolicTensor {
  return ops.relu(x, { maxValue: 6 })
}

/** `x` where not negative, else `negativeSlope * x`. */
export function leakyRelu(x: SymbolicTensor, negativeSlope = 0.2): SymbolicTensor {
  return ops.where(ops.greaterEqual(x, 0), x, ops.multiply(x, negativeSlope))
}

/** `x` where positive, else `alpha * (e^x - 1)`. */
export function elu(x: SymbolicTensor, alpha = 1): SymbolicTensor {
  return ops.elu(x, alpha)
}

/** {@link elu} with the scales that keep mean 0 and variance 1 (Klambauer and others, 2017). */
export function selu(x: SymbolicTensor): SymbolicTensor {
  return ops.multiply(ops.elu(x, 1.6732632423543772), 1.0507009873554805)
}

/** `max(x, 0) + alpha * (e^(min(x, 0) / alpha) - 1)`. */
export function celu(x: SymbolicTensor, alpha = 1): SymbolicTensor {
  return ops.add(ops.maximum(x, 0), ops.multiply(ops.expm1(ops.divide(ops.minimum(x, 0), alpha)), alpha))
}

/** `x` times the normal distribution function of `x`; `approximate` uses tanh and is off, unlike in `ops.gelu`. */
export function gelu(x: SymbolicTensor, approximate = false): SymbolicTensor {
  return ops.gelu(x, approximate)
}

/** `x * sigmoid(x)`. */
export function silu(x: SymbolicTensor): SymbolicTensor {
  return ops.multiply(x, ops.sigmoid(x))
}

/** `1 / (1 + e^-x)`. */
export function sigmoid(x: SymbolicTensor): SymbolicTensor {
  return ops.sigmoid(x)
}

/** `relu6(x + 3) / 6`. Keras 2 and TensorFlow.js call `clip(0.2 x + 0.5, 0, 1)` by this name. */
export function hardSigmoid(x: SymbolicTensor): SymbolicTensor {
  return ops.divide(relu6(ops.add(x, 3)), 6)
}

/** `x * hardSigmoid(x)`. */
export function hardSilu(x: SymbolicTensor): SymbolicTensor {
  return ops.multiply(x, hardSigmoid(x))
}

/** `log(sigmoid(x))`. */
export function logSigmoid(x: SymbolicTensor): SymbolicTensor {
  return ops.negative(ops.softplus(ops.negative(x)))
}

/** `(x + 1) / 2`, limited to 0..1. */
export function sparseSigmoid(x: SymbolicTensor): SymbolicTensor {
  return ops.multiply(ops.minimum(ops.maximum(ops.add(x, 1), 0), 2), 0.5)
}

/** The hyperbolic tangent. */
export function tanh(x: SymbolicTensor): SymbolicTensor {
  return ops.tanh(x)
}

/** `x`, limited to -1..1. */
export function hardTanh(x: SymbolicTensor): SymbolicTensor {
  return ops.where(ops.greater(x, 1), 1, ops.where(ops.less(x, -1), -1, x))
}

/** `x - tanh(x)`. */
export function tanhShrink(x: SymbolicTensor): SymbolicTensor {
  return ops.subtract(x, ops.tanh(x))
}

/** `x` moved towards 0 by `threshold`; 0 where it is nearer. */
export function softShrink(x: SymbolicTensor, threshold = 0.5): SymbolicTensor {
  const negative = ops.where(ops.less(x, -threshold), ops.add(x, threshold), 0)
  return ops.where(ops.greater(x, threshold), ops.subtract(x, threshold), negative)
}

/** `x` where it is further than `threshold` from 0, else 0. */
export function hardShrink(x: SymbolicTensor, threshold = 0.5): SymbolicTensor {
  return ops.where(ops.greater(ops.abs(x), threshold), x, 0)
}

/** `e^x / sum(e^x)` along an axis. */
export function softmax(x: SymbolicTensor, axis = -1): SymbolicTensor {
  return ops.softmax(x, axis)
}

/** The logarithm of {@link softmax}. */
export function logSoftmax(x: SymbolicTensor, axis = -1): SymbolicTensor {
  return ops.logSoftmax(x, axis)
}

/**
 * The nearest point of the probability simplex, along the last axis: like {@link softmax}, but with exact zeros
 * (Martins and Astudillo, 2016). An element is in the support when `1 + k x` is more than the sum of the `k` elements
 * that are not smaller; all pairs are compared, so memory grows with the square of the axis. Keras 3.15 adds up partial
 * sums by mistake; its rows do not sum to 1, these do.
 */
export function sparsemax(x: SymbolicTensor): SymbolicTensor {
  const others = ops.expandDims(x, -2)
  const notSmaller = ops.greaterEqual(others, ops.expandDims(x, -1))
  const count = ops.sum(ops.cast(notSmaller, 'float32'), { axis: -1 })
  const total = ops.sum(ops.where(notSmaller, others, 0), { axis: -1 })
  const support = ops.greater(ops.add(ops.multiply(count, x), 1), total)
  const size = ops.sum(ops.cast(support, 'float32'), { axis: -1, keepdims: true })
  const excess = ops.subtract(ops.sum(ops.where(support, x, 0), { axis: -1, keepdims: true }), 1)
  return ops.maximum(ops.subtract(x, ops.divide(excess, size)), 0)
}

/** `log(1 + e^x)`. */
export function softplus(x: SymbolicTensor): SymbolicTensor {
  return ops.softplus(x)
}

/** 0 up to -1, `(x + 1)^2 / 4` up to 1, then `x`. */
export function sparsePlus(x: SymbolicTensor): SymbolicTensor {
  const middle = ops.divide(ops.square(ops.add(x, 1)), 4)
  return ops.where(ops.lessEqual(x, -1), 0, ops.where(ops.greaterEqual(x, 1), x, middle))
}

/** `(x + sqrt(x^2 + b)) / 2`. */
export function squareplus(x: SymbolicTensor, b = 4): SymbolicTensor {
  return ops.multiply(ops.add(x, ops.sqrt(ops.add(ops.square(x), b))), 0.5)
}

/** `x / (1 + |x|)`. */
export function softsign(x: SymbolicTensor): SymbolicTensor {
  return ops.divide(x, ops.add(ops.abs(x), 1))
}

/** `e^x`. */
export function exponential(x: SymbolicTensor): SymbolicTensor {
  return ops.exp(x)
}

/** `x * tanh(softplus(x))`. */
export function mish(x: SymbolicTensor): SymbolicTensor {
  return ops.multiply(x, ops.tanh(ops.softplus(x)))
}

/** The first half of the last axis times the sigmoid of the second. */
export function glu(x: SymbolicTensor): SymbolicTensor {
  const extent = x.shape.at(-1)
  if (typeof extent !== 'number' || extent % 2 !== 0) {
    throw new ShapeError(`glu: expected a last extent that is known and even, received ${formatShape(x.shape)}`)
  }
  const all = x.shape.slice(1).map(() => null)
  const value = ops.slice(x, [...all, [0, extent / 2]])
  return ops.multiply(value, ops.sigmoid(ops.slice(x, [...all, [extent / 2, extent]])))
}
