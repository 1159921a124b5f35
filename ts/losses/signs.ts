import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/** Targets as -1 and 1: if every one is 0 or 1 they are turned into signs, else left as they are. */
export function signs(yTrue: SymbolicTensor): SymbolicTensor {
  const t = ops.cast(yTrue, 'float32')
  const binary = ops.all(ops.logicalOr(ops.equal(t, 0), ops.equal(t, 1)))
  return ops.where(binary, ops.subtract(ops.multiply(t, 2), 1), t)
}
