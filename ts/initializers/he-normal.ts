import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** A truncated normal distribution of variance `2 / fanIn`. */
export class HeNormal extends configuredObject('keras.initializers', 'HeNormal', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 2, mode: 'fan_in', distribution: 'truncated_normal' })
  }
}
registerObject('keras.initializers', HeNormal, 'he_normal')
