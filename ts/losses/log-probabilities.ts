import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { epsilon } from './epsilon.ts'

/** Logarithms of class probabilities along an axis: of logits, or of values divided by their sum and clipped to 1e-7..1 - 1e-7. */
export function logProbabilities(yPred: SymbolicTensor, fromLogits: boolean, axis: number): SymbolicTensor {
  if (fromLogits) return ops.logSoftmax(yPred, axis)
  return ops.log(probabilities(yPred, axis))
}

/** Values divided by their sum along an axis and clipped to 1e-7..1 - 1e-7. */
export function probabilities(yPred: SymbolicTensor, axis: number): SymbolicTensor {
  return share(yPred, yPred, axis)
}

/** Some of the values divided by the sum of all along an axis and clipped to 1e-7..1 - 1e-7. */
export function share(some: SymbolicTensor, all: SymbolicTensor, axis: number): SymbolicTensor {
  return ops.clip(ops.divide(some, ops.sum(all, { axis, keepdims: true })), epsilon, 1 - epsilon)
}
