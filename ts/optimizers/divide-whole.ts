import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/**
 * `floor(n / divisor)` of an int32 scalar that is not negative. The quotient in float32 is off by little where `n` is
 * beyond 2^24, so what it leaves is divided once more: exact up to 2^31 - 1.
 */
export function divideWhole(n: SymbolicTensor, divisor: number): SymbolicTensor {
  const quotient = (x: SymbolicTensor): SymbolicTensor => ops.cast(ops.floor(ops.divide(x, divisor)), 'int32')
  const first = quotient(n)
  return ops.add(first, quotient(ops.subtract(n, ops.multiply(first, divisor))))
}
