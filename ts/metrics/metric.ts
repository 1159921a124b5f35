import { getObject, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import { Loss } from '../losses/base.ts'
import { Metric } from './base.ts'
import { FunctionMetric, type MetricFunction } from './function-metric.ts'
import './accuracy.ts'
import './binary-accuracy.ts'
import './binary-crossentropy.ts'
import './categorical-accuracy.ts'
import './categorical-crossentropy.ts'
import './categorical-hinge.ts'
import './cosine-similarity.ts'
import './hinge.ts'
import './kl-divergence.ts'
import './log-cosh-error.ts'
import './mean.ts'
import './mean-absolute-error.ts'
import './mean-absolute-percentage-error.ts'
import './mean-squared-error.ts'
import './mean-squared-logarithmic-error.ts'
import './poisson.ts'
import './root-mean-squared-error.ts'
import './sparse-categorical-accuracy.ts'
import './sparse-categorical-crossentropy.ts'
import './sparse-top-k-categorical-accuracy.ts'
import './squared-hinge.ts'
import './sum.ts'
import './top-k-categorical-accuracy.ts'

/** A metric by name (`'mae'`, `'binary_accuracy'`, `'binaryAccuracy'`), as an object, as Keras serializes it, a loss or a function. */
export type MetricInput = ObjectInput<Metric> | MetricFunction | Loss

const kind: ObjectKind<Metric> = {
  module: 'keras.metrics',
  noun: 'metric',
  base: Metric,
  fromFunction: (body) => new FunctionMetric(body as MetricFunction),
}

/**
 * The metric that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getMetric(input: MetricInput): Metric {
  return getObject(kind, input)
}

export { Metric }
