import { newless, type Newless } from '../core/callable.ts'
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

/**
 * The base of a layer whose schema is the only description of its options: types, defaults, checks, `getConfig`,
 * `fromConfig` and the form in files follow from it.
 */
export function configured<const S extends Schema>(className: string, schema: S): ConfiguredLayerClass<S> {
  class Configured extends Layer {
    static override className = className
    static readonly schema = schema
    readonly config: Config<S>

    constructor(config: Record<string, unknown> = {}) {
      super(config as LayerConfig)
      this.config = parseConfig(`${className} '${this.name}'`, schema, config, layerOptions)
    }

    override getConfig(): Record<string, unknown> {
      return { name: this.name, trainable: this.trainable, ...serializeConfig(schema, this.config) }
    }

    kerasConfig(): Record<string, unknown> {
      return { name: this.name, trainable: this.trainable, ...toKerasConfig(schema, this.config) }
    }

    static fromKerasConfig(this: new (config: never) => Layer, config: Record<string, unknown>): Layer {
      return new this(fromKerasConfig(schema, config) as never)
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
