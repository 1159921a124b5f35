import { newless, type Newless } from '../core/callable.ts'
import { L1 as L1Class } from './l1.ts'
import { L1L2 as L1L2Class } from './l1-l2.ts'
import { L2 as L2Class } from './l2.ts'
import { OrthogonalRegularizer as OrthogonalRegularizerClass } from './orthogonal-regularizer.ts'

export const L1: Newless<typeof L1Class> = newless(L1Class)
export const L1L2: Newless<typeof L1L2Class> = newless(L1L2Class)
export const L2: Newless<typeof L2Class> = newless(L2Class)
export const OrthogonalRegularizer: Newless<typeof OrthogonalRegularizerClass> = newless(OrthogonalRegularizerClass)
export { Regularizer } from './base.ts'
export { getRegularizer as get, type RegularizerInput } from './regularizer.ts'
