import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/** `a / b`, and 0 where `b` is 0; the gradient there is 0 too. */
export function divideNoNan(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  const zero = ops.equal(b, 0)
  return ops.where(zero, 0, ops.divide(a, ops.where(zero, 1, b)))
}
