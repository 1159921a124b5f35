import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { RandomInitializer, seedField, type Distribution } from './random-initializer.ts'

/** Numbers drawn from a normal distribution; mean 0 and standard deviation 0.05 by default. */
export class RandomNormal extends configuredObject(
  'keras.initializers',
  'RandomNormal',
  { mean: number({ default: 0 }), stddev: number({ default: 0.05, min: 0 }), seed: seedField() },
  RandomInitializer,
) {
  override distributionFor(): Distribution {
    return { distribution: 'normal', mean: this.config.mean, stddev: this.config.stddev }
  }
}
registerObject('keras.initializers', RandomNormal, 'random_normal', 'normal')
