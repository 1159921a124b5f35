import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** A truncated normal distribution of variance `2 / (fanIn + fanOut)`. */
export class GlorotNormal extends configuredObject('keras.initializers', 'GlorotNormal', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 1, mode: 'fan_avg', distribution: 'truncated_normal' })
  }
}
registerObject('keras.initializers', GlorotNormal, 'glorot_normal')
