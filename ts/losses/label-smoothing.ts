import { ConfigError } from '../core/errors.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'

/** Targets moved towards `share` of every class by the given amount: `t * (1 - smoothing) + smoothing * share`. */
export function smoothed(yTrue: SymbolicTensor, smoothing: number, share: number): SymbolicTensor {
  const t = ops.cast(yTrue, 'float32')
  return smoothing === 0 ? t : ops.add(ops.multiply(t, 1 - smoothing), smoothing * share)
}

/** The number of classes, which must be known while a graph is traced. */
export function classesOf(owner: string, x: SymbolicTensor, axis = -1): number {
  const classes = x.shape.at(axis)
  if (typeof classes === 'number') return classes
  throw new ConfigError(
    `${owner}: expected a known number of classes on axis ${axis}, received ${formatShape(x.shape)}`,
  )
}
