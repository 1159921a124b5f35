import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/** Numbers drawn evenly from `±sqrt(6 / (fanIn + fanOut))`. */
export class GlorotUniform extends configuredObject('keras.initializers', 'GlorotUniform', fanFields, RandomInitializer) {
  override distributionFor(shape: readonly number[]): Distribution {
    return scaledDistribution(shape, this.config, { scale: 1, mode: 'fan_avg', distribution: 'uniform' })
  }
}
registerObject('keras.initializers', GlorotUniform, 'glorot_uniform')
