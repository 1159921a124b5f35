import { newless, type Newless } from '../core/callable.ts'
import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { registerBuiltIn } from '../core/registry.ts'
import {
  fromKerasConfig,
  parseConfig,
  serializeConfig,
  toKerasConfig,
  type Config,
  type ConfigInput,
  type Schema,
} from '../core/schema.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { Layer, layerOptions, type LayerConfig } from './layer.ts'

/** What the constructor takes; nothing is needed where every option has a default. */
export type LayerArguments<S> =
  Record<string, never> extends ConfigInput<S> ? [config?: ConfigInput<S> & LayerConfig] : [config: ConfigInput<S> & LayerConfig]

/** A layer whose options a schema describes. */
export interface ConfiguredLayer<S extends Schema> extends Layer {
  /** The options, checked and complete. */
  readonly config: Config<S>
  /** @internal The options as Keras's files hold them. */
  kerasConfig(): Record<string, unknown>
}

/** The class {@link configured} makes. */
export interface ConfiguredLayerClass<S extends Schema> {
  new (...args: LayerArguments<S>): ConfiguredLayer<S>
  className: string
  readonly schema: S
  fromConfig(config: Record<string, unknown>): Layer
  /** @internal Makes a layer from the configuration of one of Keras's files. */
  fromKerasConfig(config: Record<string, unknown>): Layer
}

const activityField = regularizerField()

/** How Keras writes the only type that layers compute in. */
const dtypePolicy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null }

/**
 * The base of a layer whose schema is the only description of its options: types, defaults, checks, `getConfig`,
 * `fromConfig` and the form in files follow from it.
 *
 * @param fixed Options of Keras's that have only this one value here, by Keras's key: files hold them, and a file with
 * another value is refused.
 */
export function configured<const S extends Schema>(
  className: string,
  schema: S,
  fixed: Readonly<Record<string, unknown>> = {},
): ConfiguredLayerClass<S> {
  class Configured extends Layer {
    static override className = className
    static readonly schema = schema
    readonly config: Config<S>

    constructor(config: Record<string, unknown> = {}) {
      super(config as LayerConfig)
      this.config = parseConfig(`${className} '${this.name}'`, schema, config, layerOptions)
    }

    override getConfig(): Record<string, unknown> {
      const activity = this.activityRegularizer && { activityRegularizer: activityField.serialize(this.activityRegularizer) }
      return { name: this.name, trainable: this.trainable, ...serializeConfig(schema, this.config), ...activity }
    }

    kerasConfig(): Record<string, unknown> {
      const activity = this.activityRegularizer && { activity_regularizer: activityField.toKeras?.(this.activityRegularizer) }
      const { name, trainable } = this
      return { name, trainable, dtype: dtypePolicy, ...toKerasConfig(schema, this.config), ...fixed, ...activity }
    }

    static fromKerasConfig(this: new (config: never) => Layer, config: Record<string, unknown>): Layer {
      const options = Object.entries(config).filter(([key, value]) => {
        if (!Object.hasOwn(fixed, key)) return true
        if (JSON.stringify(value) === JSON.stringify(fixed[key])) return false
        throw new ConfigError(`${className} ${show(config['name'])}: expected '${key}' to be ${show(fixed[key])}, received ${show(value)}, which is not supported`)
      })
      return new this(fromKerasConfig(schema, Object.fromEntries(options)) as never)
    }
  }
  return Configured as unknown as ConfiguredLayerClass<S>
}

/** Makes a layer of the library known to files and callable without `new`. */
export function layer<C extends (new (...args: never[]) => Layer) & { className: string; fromConfig(config: Record<string, unknown>): unknown }>(
  type: C,
): Newless<C> {
  registerBuiltIn('keras.layers', type)
  return newless(type)
}
