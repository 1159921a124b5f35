import { integer, type Field } from '../core/schema.ts'

/** A number of steps, at least 1. */
export function stepsField(): Field<number, number, true> {
  return integer({ min: 1 })
}
