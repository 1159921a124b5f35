import { newless, type Newless } from '../core/callable.ts'
import { CosineDecay as CosineDecayClass } from './cosine-decay.ts'
import { CosineDecayRestarts as CosineDecayRestartsClass } from './cosine-decay-restarts.ts'
import { ExponentialDecay as ExponentialDecayClass } from './exponential-decay.ts'
import { InverseTimeDecay as InverseTimeDecayClass } from './inverse-time-decay.ts'
import { PiecewiseConstantDecay as PiecewiseConstantDecayClass } from './piecewise-constant-decay.ts'
import { PolynomialDecay as PolynomialDecayClass } from './polynomial-decay.ts'

export const CosineDecay: Newless<typeof CosineDecayClass> = newless(CosineDecayClass)
export const CosineDecayRestarts: Newless<typeof CosineDecayRestartsClass> = newless(CosineDecayRestartsClass)
export const ExponentialDecay: Newless<typeof ExponentialDecayClass> = newless(ExponentialDecayClass)
export const InverseTimeDecay: Newless<typeof InverseTimeDecayClass> = newless(InverseTimeDecayClass)
export const PiecewiseConstantDecay: Newless<typeof PiecewiseConstantDecayClass> = newless(PiecewiseConstantDecayClass)
export const PolynomialDecay: Newless<typeof PolynomialDecayClass> = newless(PolynomialDecayClass)
export { Schedule } from './base.ts'
export type { ScheduleInput } from './schedule.ts'
