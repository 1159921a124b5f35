import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** A truncated normal distribution of variance `1 / fanIn`. */
export class LecunNormal extends configuredObject('keras.initializers', 'LecunNormal', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 1, mode: 'fan_in', distribution: 'truncated_normal' })
  }
}
registerObject('keras.initializers', LecunNormal, 'lecun_normal')
