import { ConfigError } from './errors.ts'
import { show, toSnakeCase } from './names.ts'
import { builtInNames, findBuiltIn, findCustom, isSerializedObject, registeredNameOf, type KerasModule, type SerializedObject } from './registry.ts'
import { field, type Field } from './schema.ts'
import { fromKerasObject, toKerasObject, toPlainObject, type Serializable } from './serializable.ts'

/** A kind of object that options name: initializers, regularizers, constraints. */
export interface ObjectKind<T extends object> {
  /** Keras's module of the kind. */
  readonly module: KerasModule
  /** What messages call it, without an article: `initializer`. */
  readonly noun: string
  /** The class that all of the kind extend. */
  readonly base: abstract new (...args: never[]) => T
  /** Wraps a plain function, where the kind allows one. */
  readonly fromFunction?: (body: (...args: never[]) => unknown) => T
}

/** How an option may say which object it wants. */
export type ObjectInput<T> = string | SerializedObject | T

/** Completes "expected" and "must be" in messages. */
export function wantedObject(kind: ObjectKind<object>): string {
  const names = builtInNames(kind.module).filter((name) => name === name.toLowerCase())
  const article = /^[aeiou]/.test(kind.noun) ? 'an' : 'a'
  const forms = kind.fromFunction ? 'an object or a function' : 'or an object'
  return `${article} ${kind.noun}: a name (${names.join(', ')}), ${forms}`
}

/** The object that an option means; `undefined` when it means none of this kind. */
export function findObject<T extends object>(kind: ObjectKind<T>, input: unknown): T | undefined {
  if (input instanceof kind.base) return input
  if (typeof input === 'string') {
    const type = findBuiltIn(kind.module, input) ?? findBuiltIn(kind.module, toSnakeCase(input))
    return type ? (type.fromConfig({}) as T) : undefined
  }
  if (isSerializedObject(input)) {
    const custom = findCustom(input.registered_name, input.class_name)
    if (!custom) return fromKerasObject(kind.module, kind.noun, input) as T
    return custom.fromConfig((input.config ?? {}) as Record<string, unknown>) as T
  }
  if (typeof input !== 'function') return undefined
  if (input.prototype instanceof kind.base) return new (input as new () => T)()
  return kind.fromFunction?.(input as (...args: never[]) => unknown)
}

/**
 * The object that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getObject<T extends object>(kind: ObjectKind<T>, input: unknown): T {
  const found = findObject(kind, input)
  if (found) return found
  throw new ConfigError(`expected ${wantedObject(kind as ObjectKind<object>)}. Received: ${show(input)}`, { received: input })
}

/** An option that takes an object of a kind. */
export function objectField<T extends object, In>(kind: ObjectKind<T>, fallback: In): Field<In, T, false> {
  return lazily(kind, {
    default: fallback,
    wanted: '',
    parse: (value) => findObject(kind, value),
    serialize: (value) => serialized(kind, value, toPlainObject),
    toKeras: (value) => serialized(kind, value, toKerasObject),
  })
}

/** An option that takes an object of a kind or `null`, which is the default. */
export function optionalObjectField<T extends object, In>(kind: ObjectKind<T>): Field<In | null, T | null, false> {
  return lazily<In | null, T | null>(kind, {
    default: null,
    wanted: '',
    parse: (value) => (value === null ? null : findObject(kind, value)),
    serialize: (value) => value && serialized(kind, value, toPlainObject),
    toKeras: (value) => value && serialized(kind, value, toKerasObject),
  })
}

/** A field whose message is made when it is needed: names are registered after fields are declared. */
function lazily<In, Out>(kind: ObjectKind<object>, options: Parameters<typeof field<In, Out>>[0]): Field<In, Out, false> {
  return field<In, Out>({
    ...options,
    get wanted() {
      return wantedObject(kind)
    },
  })
}

function serialized<T extends object>(kind: ObjectKind<T>, value: T, write: (object: Serializable) => SerializedObject): SerializedObject {
  if ('kerasType' in value) return write(value as unknown as Serializable)
  const registered = registeredNameOf(value.constructor)
  if (registered !== undefined && 'getConfig' in value) {
    const config = (value as { getConfig(): Record<string, unknown> }).getConfig()
    return { module: null, class_name: value.constructor.name, config, registered_name: registered }
  }
  throw new ConfigError(
    `expected ${kind.noun} '${value.constructor.name}' to be known to files: give its class 'getConfig' and register it with registerSerializable`,
  )
}
