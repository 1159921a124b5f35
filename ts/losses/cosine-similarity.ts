import { integer } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { epsilon } from './epsilon.ts'
import { sameRank } from './same-rank.ts'

/** The cosine of the angle between two vectors along an axis, -1 to 1. */
export function cosineSimilarity(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis = -1): SymbolicTensor {
  const [t, p] = sameRank(yTrue, yPred)
  return ops.sum(ops.multiply(unit(t, axis), unit(p, axis)), { axis })
}

/** Vectors of length 1; a vector shorter than 1e-7 stays short. */
function unit(x: SymbolicTensor, axis: number): SymbolicTensor {
  const inverse = ops.rsqrt(ops.sum(ops.square(ops.cast(x, 'float32')), { axis, keepdims: true }))
  return ops.multiply(x, ops.minimum(inverse, 1 / epsilon))
}

/** The cosine of the angle between target and prediction with its sign turned, so that -1 is best. */
export class CosineSimilarity extends builtInLoss('CosineSimilarity', 'cosine_similarity', {
  axis: integer({ default: -1 }),
}) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return ops.negative(cosineSimilarity(yTrue, yPred, this.config.axis))
  }
}
registerObject('keras.losses', CosineSimilarity, 'cosine_similarity')
