import { ConfigError } from './errors.ts'
import { isPlainObject } from './tree.ts'

/** An object as Keras writes it into files. */
export interface SerializedObject {
  readonly module?: string | null
  readonly class_name: string
  readonly config: unknown
  readonly registered_name?: string | null
  readonly [key: string]: unknown
}

/** A class whose objects go into files: `fromConfig` makes again what `getConfig` describes. */
export interface SerializableClass {
  readonly className: string
  fromConfig(config: Record<string, unknown>): unknown
}

/** Keras's modules for the classes that come with the library. */
export type KerasModule =
  | 'keras.layers'
  | 'keras.initializers'
  | 'keras.regularizers'
  | 'keras.constraints'
  | 'keras.losses'
  | 'keras.metrics'
  | 'keras.optimizers'
  | 'keras.optimizers.schedules'
  | 'keras.src.ops.numpy'
  | 'keras.src.ops.nn'
  | 'keras.src.ops.core'
  | 'keras.src.models.functional'
  | 'keras'

const builtIn = new Map<string, Map<string, SerializableClass>>()
const custom = new Map<string, SerializableClass>()

/** Makes a class of the library known under Keras's module. */
export function registerBuiltIn(module: KerasModule, serializable: SerializableClass, ...aliases: string[]): void {
  const classes = builtIn.get(module) ?? new Map<string, SerializableClass>()
  for (const name of [serializable.className, ...aliases]) classes.set(name, serializable)
  builtIn.set(module, classes)
}

/** Finds a class of the library; only exact names of this closed list are ever found. */
export function findBuiltIn(module: string, className: string): SerializableClass | undefined {
  return builtIn.get(module)?.get(className)
}

/** The names registered under a module, for messages. */
export function builtInNames(module: string): string[] {
  return [...(builtIn.get(module)?.keys() ?? [])]
}

/**
 * Makes a class of your own known, so that models with it can be loaded: under `package>name` as Keras's
 * `register_keras_serializable` does. Both default as in Keras: package `Custom`, the class's own name.
 */
export function registerSerializable(
  serializable: Function & { fromConfig(config: Record<string, unknown>): unknown },
  options: { package?: string; name?: string } = {},
): void {
  const name = options.name ?? serializable.name
  if (!name) throw new ConfigError('registerSerializable: expected a class with a name')
  const registeredName = `${options.package ?? 'Custom'}>${name}`
  const known = custom.get(registeredName)
  if (known && (known as unknown) !== serializable) {
    throw new ConfigError(`registerSerializable: '${registeredName}' is registered already for another class`)
  }
  custom.set(registeredName, serializable as unknown as SerializableClass)
}

/** Finds a class of the user's by its registered name, or, among `extra`, by registered or plain class name. */
export function findCustom(
  registeredName: string | null | undefined,
  className: string,
  extra: Readonly<Record<string, unknown>> = {},
): SerializableClass | undefined {
  for (const key of [registeredName, className]) {
    if (typeof key === 'string' && Object.hasOwn(extra, key)) return extra[key] as SerializableClass
  }
  return typeof registeredName === 'string' ? custom.get(registeredName) : undefined
}

/** The name under which a class was registered, if it was. */
export function registeredNameOf(serializable: unknown): string | undefined {
  for (const [name, known] of custom) if ((known as unknown) === serializable) return name
  return undefined
}

/** Whether a value has the form in which Keras writes objects. */
export function isSerializedObject(value: unknown): value is SerializedObject {
  return isPlainObject(value) && typeof value['class_name'] === 'string' && Object.hasOwn(value, 'config')
}
