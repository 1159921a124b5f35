import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { RandomInitializer, seedField, type Distribution } from './random-initializer.ts'

/**
 * Numbers drawn from a normal distribution, none further than two standard deviations from the mean; mean 0 and
 * standard deviation (before cutting) 0.05 by default.
 */
export class TruncatedNormal extends configuredObject(
  'keras.initializers',
  'TruncatedNormal',
  { mean: number({ default: 0 }), stddev: number({ default: 0.05, min: 0 }), seed: seedField() },
  RandomInitializer,
) {
  override distributionFor(): Distribution {
    return { distribution: 'truncated_normal', mean: this.config.mean, stddev: this.config.stddev }
  }
}
registerObject('keras.initializers', TruncatedNormal, 'truncated_normal')
