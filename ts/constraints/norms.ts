import { field, type Field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'

/** Keras's `epsilon()`, which keeps divisions by a norm finite. */
export const epsilon = 1e-7

/** The option `axis`: the axis, or axes, that a norm sums over. Default 0, the inputs of a Dense kernel. */
export function axisField(): Field<number | readonly number[], number | readonly number[], false> {
  return field<number | readonly number[], number | readonly number[]>({
    default: 0,
    wanted: 'an integer or an array of integers',
    parse: (value) =>
      Number.isSafeInteger(value) || (Array.isArray(value) && value.every(Number.isSafeInteger)) ? (value as number) : undefined,
    serialize: (value) => value,
  })
}

/** L2 norms over axes, which keep extent 1. */
export function norms(w: SymbolicTensor, axis: number | readonly number[]): SymbolicTensor {
  return ops.sqrt(ops.sum(ops.square(w), { axis, keepdims: true }))
}
