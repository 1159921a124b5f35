import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/** Which limits the gradients have; at most one. */
export interface ClipSettings {
  readonly clipnorm: number | null
  readonly globalClipnorm: number | null
  readonly clipvalue: number | null
}

/** Gradients within their limits. A limit of 0 is none, as in Keras. */
export function clipped(gradients: readonly SymbolicTensor[], settings: ClipSettings): readonly SymbolicTensor[] {
  const { clipnorm, globalClipnorm, clipvalue } = settings
  if (clipnorm) return gradients.map((gradient) => byNorm(gradient, clipnorm))
  if (globalClipnorm) return byGlobalNorm(gradients, globalClipnorm)
  return clipvalue ? gradients.map((gradient) => ops.clip(gradient, -clipvalue, clipvalue)) : gradients
}

function byNorm(gradient: SymbolicTensor, limit: number): SymbolicTensor {
  const norm = ops.sqrt(ops.sum(ops.square(gradient)))
  return ops.divide(ops.multiply(gradient, limit), ops.maximum(norm, limit))
}

function byGlobalNorm(gradients: readonly SymbolicTensor[], limit: number): SymbolicTensor[] {
  const squares = gradients.map((gradient) => ops.sum(ops.square(gradient)))
  const norm = ops.sqrt(ops.sum(ops.stack(squares)))
  const finite = ops.multiply(ops.minimum(ops.divide(1, norm), 1 / limit), limit)
  // An infinite norm makes every gradient NaN instead of silently 0.
  const scale = ops.add(finite, ops.subtract(norm, norm))
  return gradients.map((gradient) => ops.multiply(gradient, scale))
}
