import { ConfigError } from './errors.ts'
import { show } from './names.ts'
import { PythonFloat } from './python-json.ts'
import { findBuiltIn, isSerializedObject, registerBuiltIn, type KerasModule, type SerializedObject } from './registry.ts'
import { fromKerasConfig, parseConfig, serializeConfig, toKerasConfig, type Config, type ConfigInput, type Schema } from './schema.ts'

/** An object of the library that files can hold: an initializer, a loss, an optimizer, ... */
export interface Serializable {
  /** Keras's module and class. */
  readonly kerasType: { readonly module: KerasModule; readonly className: string }
  /** The options as plain JSON, with our names. */
  getConfig(): Record<string, unknown>
  /** @internal The options as Keras's files hold them. */
  kerasConfig(): Record<string, unknown>
}

/** What the constructor takes; nothing is needed where every option has a default. */
export type Arguments<S> = Record<string, never> extends ConfigInput<S> ? [config?: ConfigInput<S>] : [config: ConfigInput<S>]

/** The class {@link configuredObject} makes on top of `Base`. */
export interface ConfiguredObjectClass<S extends Schema, Base> {
  new (...args: Arguments<S>): Base & Serializable & { readonly config: Config<S> }
  readonly className: string
  readonly schema: S
  fromConfig(config: Record<string, unknown>): Base & Serializable
  /** @internal */
  fromKerasConfig(config: Record<string, unknown>): Base & Serializable
}

/**
 * The base of a class whose schema is the only description of its options, on top of an abstract class without
 * constructor arguments.
 */
export function configuredObject<const S extends Schema, Base extends object>(
  module: KerasModule,
  className: string,
  schema: S,
  base: abstract new () => Base,
): ConfiguredObjectClass<S, Base> {
  const Parent = base as unknown as new () => object
  class Configured extends Parent {
    static readonly className = className
    static readonly schema = schema
    readonly config: Config<S>

    constructor(config: unknown = {}) {
      super()
      this.config = parseConfig(className, schema, config)
    }

    get kerasType(): Serializable['kerasType'] {
      return { module, className }
    }

    getConfig(): Record<string, unknown> {
      return serializeConfig(schema, this.config)
    }

    kerasConfig(): Record<string, unknown> {
      return toKerasConfig(schema, this.config)
    }

    static fromConfig(this: new (config: never) => object, config: Record<string, unknown>): object {
      return new this(config as never)
    }

    static fromKerasConfig(this: new (config: never) => object, config: Record<string, unknown>): object {
      return new this(fromKerasConfig(schema, config) as never)
    }
  }
  return Configured as unknown as ConfiguredObjectClass<S, Base>
}

/** Makes a class of the library known to files, under its own name and others. */
export function registerObject(module: KerasModule, type: { readonly className: string; fromConfig(config: Record<string, unknown>): unknown }, ...aliases: string[]): void {
  registerBuiltIn(module, type, ...aliases)
}

/** An object in the form of Keras's files; floats are marked for the printer. */
export function toKerasObject(object: Serializable): SerializedObject {
  const { module, className } = object.kerasType
  return { module, class_name: className, config: object.kerasConfig(), registered_name: null }
}

/** The same as plain JSON. */
export function toPlainObject(object: Serializable): SerializedObject {
  return plain(toKerasObject(object)) as SerializedObject
}

function plain(value: unknown): unknown {
  if (value instanceof PythonFloat) return value.value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  }
  return value
}

/** Makes an object of a module again from Keras's form. Only classes of the closed list are ever made. */
export function fromKerasObject(module: KerasModule, kind: string, value: unknown): unknown {
  if (!isSerializedObject(value)) throw new ConfigError(`expected ${kind} as Keras serializes it, received ${show(value)}`)
  const found = findBuiltIn(module, value.class_name)
  if (!found) throw new ConfigError(`unknown ${kind} '${value.class_name}'`, { className: value.class_name })
  const config = (value.config ?? {}) as Record<string, unknown>
  const type = found as { fromKerasConfig?(config: Record<string, unknown>): unknown }
  return type.fromKerasConfig ? type.fromKerasConfig(config) : found.fromConfig(config)
}
