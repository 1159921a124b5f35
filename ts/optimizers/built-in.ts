import { ConfigError } from '../core/errors.ts'
import type { Schema } from '../core/schema.ts'
import { configuredObject, type ConfiguredObjectClass } from '../core/serializable.ts'
import { Optimizer } from './base.ts'
import { commonOptions, type CommonOptions } from './options.ts'

/** The options of an optimizer: the common ones and its own. */
export type OptimizerSchema<S extends Schema> = CommonOptions & S

/** The base of an optimizer of the library: options, defaults, checks and the form in files follow from the schema. */
export function builtInOptimizer<const S extends Schema>(
  className: string,
  name: string,
  learningRate: number,
  own: S,
): ConfiguredObjectClass<OptimizerSchema<S>, Optimizer> {
  const schema = { ...commonOptions(name, learningRate), ...own }
  const Parent = configuredObject('keras.optimizers', className, schema, Optimizer) as unknown as new (
    config?: unknown,
  ) => Optimizer & {
    kerasConfig(): Record<string, unknown>
    getConfig(): Record<string, unknown>
  }
  abstract class Configured extends Parent {
    constructor(config?: unknown) {
      super(config)
      const { clipnorm, clipvalue, globalClipnorm } = this.config
      const limits = Object.entries({ clipnorm, clipvalue, globalClipnorm }).filter(([, limit]) => limit !== null)
      if (limits.length > 1) {
        throw new ConfigError(
          `${className}: expected at most one of clipnorm, clipvalue and globalClipnorm, received ${limits.map(([key]) => key).join(' and ')}`,
        )
      }
    }

    override kerasConfig(): Record<string, unknown> {
      return { ...super.kerasConfig(), ...this.savedLearningRate() }
    }

    override getConfig(): Record<string, unknown> {
      const { learning_rate: rate } = this.savedLearningRate()
      return { ...super.getConfig(), ...(rate ? { learningRate: rate.value } : {}) }
    }
  }
  return Configured as unknown as ConfiguredObjectClass<OptimizerSchema<S>, Optimizer>
}
