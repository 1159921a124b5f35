import { newless, type Newless } from '../core/callable.ts'
import { MaxNorm as MaxNormClass } from './max-norm.ts'
import { MinMaxNorm as MinMaxNormClass } from './min-max-norm.ts'
import { NonNeg as NonNegClass } from './non-neg.ts'
import { UnitNorm as UnitNormClass } from './unit-norm.ts'

export const MaxNorm: Newless<typeof MaxNormClass> = newless(MaxNormClass)
export const MinMaxNorm: Newless<typeof MinMaxNormClass> = newless(MinMaxNormClass)
export const NonNeg: Newless<typeof NonNegClass> = newless(NonNegClass)
export const UnitNorm: Newless<typeof UnitNormClass> = newless(UnitNormClass)
export { Constraint } from './base.ts'
export { getConstraint as get, type ConstraintInput } from './constraint.ts'
