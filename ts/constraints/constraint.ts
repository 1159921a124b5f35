import { getObject, optionalObjectField, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import type { Field } from '../core/schema.ts'
import { Constraint } from './base.ts'
import './max-norm.ts'
import './min-max-norm.ts'
import './non-neg.ts'
import './unit-norm.ts'

const kind: ObjectKind<Constraint> = { module: 'keras.constraints', noun: 'constraint', base: Constraint }

/** A constraint by name (`'non_neg'`), as an object, or as Keras serializes it. */
export type ConstraintInput = ObjectInput<Constraint>

/** The constraint that `input` means. */
export function getConstraint(input: ConstraintInput): Constraint {
  return getObject(kind, input)
}

/** An option that takes a constraint; default none. */
export function constraintField(): Field<ConstraintInput | null, Constraint | null, false> {
  return optionalObjectField<Constraint, ConstraintInput>(kind)
}

export { Constraint }
