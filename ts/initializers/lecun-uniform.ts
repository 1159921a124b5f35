import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** Numbers drawn evenly from `±sqrt(3 / fanIn)`. */
export class LecunUniform extends configuredObject('keras.initializers', 'LecunUniform', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 1, mode: 'fan_in', distribution: 'uniform' })
  }
}
registerObject('keras.initializers', LecunUniform, 'lecun_uniform')
