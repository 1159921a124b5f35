import { getObject, optionalObjectField, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import type { Field } from '../core/schema.ts'
import { Regularizer } from './base.ts'
import './l1.ts'
import './l1-l2.ts'
import './l2.ts'
import './orthogonal-regularizer.ts'

const kind: ObjectKind<Regularizer> = { module: 'keras.regularizers', noun: 'regularizer', base: Regularizer }

/** A regularizer by name (`'l2'`), as an object, or as Keras serializes it. */
export type RegularizerInput = ObjectInput<Regularizer>

/** The regularizer that `input` means. */
export function getRegularizer(input: RegularizerInput): Regularizer {
  return getObject(kind, input)
}

/** An option that takes a regularizer; default none. */
export function regularizerField(): Field<RegularizerInput | null, Regularizer | null, false> {
  return optionalObjectField<Regularizer, RegularizerInput>(kind)
}

export { Regularizer }
