import { newless, type Newless } from '../core/callable.ts'
import { Accuracy as AccuracyClass } from './accuracy.ts'
import { BinaryAccuracy as BinaryAccuracyClass } from './binary-accuracy.ts'
import { BinaryCrossentropy as BinaryCrossentropyClass } from './binary-crossentropy.ts'
import { CategoricalAccuracy as CategoricalAccuracyClass } from './categorical-accuracy.ts'
import { CategoricalCrossentropy as CategoricalCrossentropyClass } from './categorical-crossentropy.ts'
import { CategoricalHinge as CategoricalHingeClass } from './categorical-hinge.ts'
import { CosineSimilarity as CosineSimilarityClass } from './cosine-similarity.ts'
import { Hinge as HingeClass } from './hinge.ts'
import { KLDivergence as KLDivergenceClass } from './kl-divergence.ts'
import { LogCoshError as LogCoshErrorClass } from './log-cosh-error.ts'
import { Mean as MeanClass } from './mean.ts'
import { MeanAbsoluteError as MeanAbsoluteErrorClass } from './mean-absolute-error.ts'
import { MeanAbsolutePercentageError as MeanAbsolutePercentageErrorClass } from './mean-absolute-percentage-error.ts'
import { MeanSquaredError as MeanSquaredErrorClass } from './mean-squared-error.ts'
import { MeanSquaredLogarithmicError as MeanSquaredLogarithmicErrorClass } from './mean-squared-logarithmic-error.ts'
import { Poisson as PoissonClass } from './poisson.ts'
import { RootMeanSquaredError as RootMeanSquaredErrorClass } from './root-mean-squared-error.ts'
import { SparseCategoricalAccuracy as SparseCategoricalAccuracyClass } from './sparse-categorical-accuracy.ts'
import { SparseCategoricalCrossentropy as SparseCategoricalCrossentropyClass } from './sparse-categorical-crossentropy.ts'
import { SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracyClass } from './sparse-top-k-categorical-accuracy.ts'
import { SquaredHinge as SquaredHingeClass } from './squared-hinge.ts'
import { Sum as SumClass } from './sum.ts'
import { TopKCategoricalAccuracy as TopKCategoricalAccuracyClass } from './top-k-categorical-accuracy.ts'

export const Accuracy: Newless<typeof AccuracyClass> = newless(AccuracyClass)
export const BinaryAccuracy: Newless<typeof BinaryAccuracyClass> = newless(BinaryAccuracyClass)
export const BinaryCrossentropy: Newless<typeof BinaryCrossentropyClass> = newless(BinaryCrossentropyClass)
export const CategoricalAccuracy: Newless<typeof CategoricalAccuracyClass> = newless(CategoricalAccuracyClass)
export const CategoricalCrossentropy: Newless<typeof CategoricalCrossentropyClass> =
  newless(CategoricalCrossentropyClass)
export const CategoricalHinge: Newless<typeof CategoricalHingeClass> = newless(CategoricalHingeClass)
export const CosineSimilarity: Newless<typeof CosineSimilarityClass> = newless(CosineSimilarityClass)
export const Hinge: Newless<typeof HingeClass> = newless(HingeClass)
export const KLDivergence: Newless<typeof KLDivergenceClass> = newless(KLDivergenceClass)
export const LogCoshError: Newless<typeof LogCoshErrorClass> = newless(LogCoshErrorClass)
export const Mean: Newless<typeof MeanClass> = newless(MeanClass)
export const MeanAbsoluteError: Newless<typeof MeanAbsoluteErrorClass> = newless(MeanAbsoluteErrorClass)
export const MeanAbsolutePercentageError: Newless<typeof MeanAbsolutePercentageErrorClass> = newless(
  MeanAbsolutePercentageErrorClass,
)
export const MeanSquaredError: Newless<typeof MeanSquaredErrorClass> = newless(MeanSquaredErrorClass)
export const MeanSquaredLogarithmicError: Newless<typeof MeanSquaredLogarithmicErrorClass> = newless(
  MeanSquaredLogarithmicErrorClass,
)
export const Poisson: Newless<typeof PoissonClass> = newless(PoissonClass)
export const RootMeanSquaredError: Newless<typeof RootMeanSquaredErrorClass> = newless(RootMeanSquaredErrorClass)
export const SparseCategoricalAccuracy: Newless<typeof SparseCategoricalAccuracyClass> =
  newless(SparseCategoricalAccuracyClass)
export const SparseCategoricalCrossentropy: Newless<typeof SparseCategoricalCrossentropyClass> = newless(
  SparseCategoricalCrossentropyClass,
)
export const SparseTopKCategoricalAccuracy: Newless<typeof SparseTopKCategoricalAccuracyClass> = newless(
  SparseTopKCategoricalAccuracyClass,
)
export const SquaredHinge: Newless<typeof SquaredHingeClass> = newless(SquaredHingeClass)
export const Sum: Newless<typeof SumClass> = newless(SumClass)
export const TopKCategoricalAccuracy: Newless<typeof TopKCategoricalAccuracyClass> =
  newless(TopKCategoricalAccuracyClass)
export { Metric, type MetricConfig, type MetricValue } from './base.ts'
export type { MetricFunction } from './function-metric.ts'
export { getMetric as get, type MetricInput } from './metric.ts'
