import { newless, type Newless } from '../core/callable.ts'
import { BinaryCrossentropy as BinaryCrossentropyClass } from './binary-crossentropy.ts'
import { CategoricalCrossentropy as CategoricalCrossentropyClass } from './categorical-crossentropy.ts'
import { CategoricalHinge as CategoricalHingeClass } from './categorical-hinge.ts'
import { CosineSimilarity as CosineSimilarityClass } from './cosine-similarity.ts'
import { Hinge as HingeClass } from './hinge.ts'
import { Huber as HuberClass } from './huber.ts'
import { KLDivergence as KLDivergenceClass } from './kl-divergence.ts'
import { LogCosh as LogCoshClass } from './log-cosh.ts'
import { MeanAbsoluteError as MeanAbsoluteErrorClass } from './mean-absolute-error.ts'
import { MeanAbsolutePercentageError as MeanAbsolutePercentageErrorClass } from './mean-absolute-percentage-error.ts'
import { MeanSquaredError as MeanSquaredErrorClass } from './mean-squared-error.ts'
import { MeanSquaredLogarithmicError as MeanSquaredLogarithmicErrorClass } from './mean-squared-logarithmic-error.ts'
import { Poisson as PoissonClass } from './poisson.ts'
import { SparseCategoricalCrossentropy as SparseCategoricalCrossentropyClass } from './sparse-categorical-crossentropy.ts'
import { SquaredHinge as SquaredHingeClass } from './squared-hinge.ts'

export const BinaryCrossentropy: Newless<typeof BinaryCrossentropyClass> = newless(BinaryCrossentropyClass)
export const CategoricalCrossentropy: Newless<typeof CategoricalCrossentropyClass> =
  newless(CategoricalCrossentropyClass)
export const CategoricalHinge: Newless<typeof CategoricalHingeClass> = newless(CategoricalHingeClass)
export const CosineSimilarity: Newless<typeof CosineSimilarityClass> = newless(CosineSimilarityClass)
export const Hinge: Newless<typeof HingeClass> = newless(HingeClass)
export const Huber: Newless<typeof HuberClass> = newless(HuberClass)
export const KLDivergence: Newless<typeof KLDivergenceClass> = newless(KLDivergenceClass)
export const LogCosh: Newless<typeof LogCoshClass> = newless(LogCoshClass)
export const MeanAbsoluteError: Newless<typeof MeanAbsoluteErrorClass> = newless(MeanAbsoluteErrorClass)
export const MeanAbsolutePercentageError: Newless<typeof MeanAbsolutePercentageErrorClass> = newless(
  MeanAbsolutePercentageErrorClass,
)
export const MeanSquaredError: Newless<typeof MeanSquaredErrorClass> = newless(MeanSquaredErrorClass)
export const MeanSquaredLogarithmicError: Newless<typeof MeanSquaredLogarithmicErrorClass> = newless(
  MeanSquaredLogarithmicErrorClass,
)
export const Poisson: Newless<typeof PoissonClass> = newless(PoissonClass)
export const SparseCategoricalCrossentropy: Newless<typeof SparseCategoricalCrossentropyClass> = newless(
  SparseCategoricalCrossentropyClass,
)
export const SquaredHinge: Newless<typeof SquaredHingeClass> = newless(SquaredHingeClass)
export { Loss, type LossConfig } from './base.ts'
export type { LossFunction } from './function-loss.ts'
export { getLoss as get, type LossInput } from './loss.ts'
export type { Reduction } from './reduction.ts'
