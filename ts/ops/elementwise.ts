import type { SymbolicTensor } from '../core/symbolic.ts'
import type { DType } from '../core/types.ts'
import type { Tensor } from '../native/tensor.ts'
import { binary, callOp, cast as castTo, defineOp, first, float, operand, promoted, type OpDefinition, type Operand, type Result } from './op.ts'

type Unary = <T extends Operand>(x: T) => Result<T>
type Binary = <A extends Operand, B extends Operand>(a: A, b: B) => Result<A | B>

function numpy(className: string): { module: 'keras.src.ops.numpy'; className: string } {
  return { module: 'keras.src.ops.numpy', className }
}

function pascal(name: string): string {
  return name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** An op on one float operand. `native` is its snake-case name on both sides. */
function floatUnary(native: string): Unary {
  const op = defineOp({
    name: camel(native),
    keras: numpy(pascal(native)),
    trace: (trace, [x]) => first(trace.emit(native, {}, [float(trace, x)])),
  })
  return ((x) => callOp(op, [x])) as Unary
}

/** An op on one operand of any numeric type. */
function numericUnary(native: string): Unary {
  const op = defineOp({
    name: native,
    keras: numpy(pascal(native === 'abs' ? 'absolute' : native)),
    trace: (trace, [x]) => {
      const value = operand(trace, x)
      const numeric = value.dtype === 'bool' || value.dtype === 'uint8' ? castTo(trace, value, 'int32') : value
      return first(trace.emit(native, {}, [numeric]))
    },
  })
  return ((x) => callOp(op, [x])) as Unary
}

/** An op on two operands that are brought to one type. `toFloat` makes that type float32. */
function promotedBinary(native: string, options: { toFloat?: boolean; className?: string } = {}): Binary {
  const op: OpDefinition = defineOp({
    name: camel(native),
    keras: numpy(options.className ?? pascal(native)),
    trace: (trace, [a, b]) => {
      const [x, y] = promoted(trace, a, b)
      const dtype: DType = options.toFloat ? 'float32' : x.dtype === 'bool' || x.dtype === 'uint8' ? 'int32' : x.dtype
      return first(trace.emit(native, {}, [castTo(trace, x, dtype), castTo(trace, y, dtype)]))
    },
  })
  return ((a, b) => callOp(op, [a, b])) as Binary
}

function logicalBinary(native: string): Binary {
  const op = defineOp({
    name: camel(native),
    keras: numpy(pascal(native)),
    trace: (trace, [a, b]) =>
      first(trace.emit(native, {}, [castTo(trace, operand(trace, a), 'bool'), castTo(trace, operand(trace, b), 'bool')])),
  })
  return ((a, b) => callOp(op, [a, b])) as Binary
}

/** `a + b`, broadcast as NumPy does. */
export const add: Binary = promotedBinary('add')
/** `a - b`, broadcast. */
export const subtract: Binary = promotedBinary('subtract')
/** `a * b` element by element, broadcast. */
export const multiply: Binary = promotedBinary('multiply')
/** `a / b`, broadcast; the result is float32. */
export const divide: Binary = promotedBinary('divide', { toFloat: true })
/** `a` to the power of `b`, broadcast; the result is float32. */
export const power: Binary = promotedBinary('power', { toFloat: true })
/** The larger of two, broadcast; NaN if either is. */
export const maximum: Binary = promotedBinary('maximum')
/** The smaller of two, broadcast; NaN if either is. */
export const minimum: Binary = promotedBinary('minimum')

/** `-x`. */
export const negative: Unary = numericUnary('negative')
/** `|x|`; the gradient at 0 is 0. */
export const abs: Unary = numericUnary('abs')
/** -1, 0 or 1. */
export const sign: Unary = numericUnary('sign')
/** `x * x`. */
export const square: Unary = numericUnary('square')
/** `e^x`. */
export const exp: Unary = floatUnary('exp')
/** `e^x - 1`, exact near 0. */
export const expm1: Unary = floatUnary('expm1')
/** The natural logarithm. */
export const log: Unary = floatUnary('log')
/** `log(1 + x)`, exact near 0. */
export const log1p: Unary = floatUnary('log1p')
/** The square root. */
export const sqrt: Unary = floatUnary('sqrt')
/** The hyperbolic tangent. */
export const tanh: Unary = floatUnary('tanh')
/** The sine of radians. */
export const sin: Unary = floatUnary('sin')
/** The cosine of radians. */
export const cos: Unary = floatUnary('cos')
/** The largest whole number that is not larger. */
export const floor: Unary = floatUnary('floor')

/** An op of one float operand that Keras keeps under another module. */
function mathUnary(name: string, native: string): Unary {
  const op = defineOp({ name, trace: (trace, [x]) => first(trace.emit(native, {}, [float(trace, x)])) })
  return ((x) => callOp(op, [x])) as Unary
}

/** `1 / sqrt(x)`. */
export const rsqrt: Unary = mathUnary('rsqrt', 'rsqrt')
/** The error function. */
export const erf: Unary = mathUnary('erf', 'erf')

/** Where two are equal; bool. */
export const equal: Binary = comparison('equal')
/** Where two differ; bool. */
export const notEqual: Binary = comparison('not_equal')
/** Where `a < b`; bool. */
export const less: Binary = comparison('less')
/** Where `a <= b`; bool. */
export const lessEqual: Binary = comparison('less_equal')
/** Where `a > b`; bool. */
export const greater: Binary = comparison('greater')
/** Where `a >= b`; bool. */
export const greaterEqual: Binary = comparison('greater_equal')

function comparison(native: string): Binary {
  const op = defineOp({
    name: camel(native),
    keras: numpy(pascal(native)),
    trace: (trace, [a, b]) => binary(trace, native, a, b),
  })
  return ((a, b) => callOp(op, [a, b])) as Binary
}

/** Where both hold; bool. */
export const logicalAnd: Binary = logicalBinary('logical_and')
/** Where either holds; bool. */
export const logicalOr: Binary = logicalBinary('logical_or')

const logicalNotOp = defineOp({
  name: 'logicalNot',
  keras: numpy('LogicalNot'),
  trace: (trace, [x]) => first(trace.emit('logical_not', {}, [castTo(trace, operand(trace, x), 'bool')])),
})
/** Where it does not hold; bool. */
export const logicalNot: Unary = ((x) => callOp(logicalNotOp, [x])) as Unary

const whereOp = defineOp({
  name: 'where',
  keras: numpy('Where'),
  trace: (trace, [condition, x, y]) =>
    first(trace.emit('where', {}, [castTo(trace, operand(trace, condition), 'bool'), ...promoted(trace, x, y)])),
})
/** `x` where the condition holds, else `y`; all three broadcast. */
export function where<C extends Operand, A extends Operand, B extends Operand>(condition: C, x: A, y: B): Result<C | A | B> {
  return callOp(whereOp, [condition, x, y]) as Result<C | A | B>
}

const clipOp = defineOp({
  name: 'clip',
  keras: numpy('Clip'),
  trace: (trace, [x], { xMin, xMax }) => first(trace.emit('clip', { low: xMin, high: xMax }, [operand(trace, x)])),
})
/** Limits elements to `low..high`. */
export function clip<T extends Operand>(x: T, low: number, high: number): Result<T> {
  return callOp(clipOp, [x], { xMin: low, xMax: high }) as Result<T>
}

const castOp = defineOp({
  name: 'cast',
  keras: { module: 'keras.src.ops.core', className: 'Cast' },
  trace: (trace, [x], { dtype }) => castTo(trace, operand(trace, x), dtype as DType),
})
/** Elements as another type; to integers toward zero, to bool as `x != 0`. */
export function cast<T extends Operand>(x: T, dtype: DType): Result<T> {
  return callOp(castOp, [x], { dtype }) as Result<T>
}

const stopGradientOp = defineOp({
  name: 'stopGradient',
  keras: { module: 'keras.src.ops.core', className: 'StopGradient' },
  trace: (trace, [x]) => first(trace.emit('stop_gradient', {}, [operand(trace, x)])),
})
/** The same values, through which no gradient flows. */
export function stopGradient<T extends Operand>(x: T): Result<T> {
  return callOp(stopGradientOp, [x]) as Result<T>
}

export type { SymbolicTensor, Tensor }
