import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** Numbers drawn evenly from `±sqrt(6 / fanIn)`. */
export class HeUniform extends configuredObject('keras.initializers', 'HeUniform', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 2, mode: 'fan_in', distribution: 'uniform' })
  }
}
registerObject('keras.initializers', HeUniform, 'he_uniform')
