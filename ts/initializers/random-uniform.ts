import { number } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { RandomInitializer, seedField, type Distribution } from './random-initializer.ts'

/** Numbers drawn evenly from `minval..maxval`; -0.05 to 0.05 by default. */
export class RandomUniform extends configuredObject(
  'keras.initializers',
  'RandomUniform',
  { minval: number({ default: -0.05 }), maxval: number({ default: 0.05 }), seed: seedField() },
  RandomInitializer,
) {
  override distributionFor(): Distribution {
    return { distribution: 'uniform', minval: this.config.minval, maxval: this.config.maxval }
  }
}
registerObject('keras.initializers', RandomUniform, 'random_uniform', 'uniform')
