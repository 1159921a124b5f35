import { number, oneOf } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import { fanFields, scaledDistribution } from './fans.ts'
import { RandomInitializer, type Distribution } from './random-initializer.ts'

/**
 * Numbers whose variance is `scale` (1) over the number of connections that `mode` (`'fan_in'`) counts, from the
 * `distribution` (`'truncated_normal'`). `'normal'` is the older name of `'truncated_normal'`.
 */
export class VarianceScaling extends configuredObject(
  'keras.initializers',
  'VarianceScaling',
  {
    scale: number({ default: 1, min: Number.MIN_VALUE }),
    mode: oneOf(['fan_in', 'fan_out', 'fan_avg'], 'fan_in'),
    distribution: oneOf(['truncated_normal', 'untruncated_normal', 'uniform', 'normal'], 'truncated_normal'),
    ...fanFields,
  },
  RandomInitializer,
) {
  override distributionFor(shape: readonly number[]): Distribution {
    const { scale, mode, distribution } = this.config
    return scaledDistribution(shape, this.config, { scale, mode, distribution: distribution === 'normal' ? 'truncated_normal' : distribution })
  }
}
registerObject('keras.initializers', VarianceScaling, 'variance_scaling')
