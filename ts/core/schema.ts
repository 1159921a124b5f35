import { ConfigError } from './errors.ts'
import { show, toCamelCase, toKerasKey } from './names.ts'
import { PythonFloat } from './python-json.ts'

/**
 * One option of a layer, loss, optimizer, ...: what the user may write (`In`), what it becomes (`Out`), its default,
 * and how it stands in files.
 */
export interface Field<In, Out = In, Required extends boolean = boolean> {
  /** Whether the user must give it. */
  readonly required: Required
  /** The value when it is left out. */
  readonly fallback: In | undefined
  /** Checks what the user wrote; an error says what was wanted. */
  parse(value: unknown): Out
  /** The value as plain JSON, from which `parse` makes it again. */
  serialize(value: Out): unknown
  /** The value as Keras's files hold it, where that differs from `serialize`. */
  readonly toKeras?: (value: Out) => unknown
  /** Keras's key, where it is not the snake case of ours. */
  readonly kerasKey?: string
  /** Types only. */
  readonly input?: In
}

/** A field whatever its types are. */
export interface AnyField {
  readonly required: boolean
  readonly fallback: unknown
  parse(value: unknown): unknown
  serialize(value: never): unknown
  readonly toKeras?: (value: never) => unknown
  readonly kerasKey?: string
  readonly input?: unknown
}

/** The options of a class, by name. */
export type Schema = Readonly<Record<string, AnyField>>

// The two conditional types read a field's sides without naming `any`.
type InputOf<F> = F extends { readonly input?: infer In } ? Exclude<In, undefined> | Extract<In, null> : never
type OutputOf<F> = F extends { parse(value: unknown): infer Out } ? Out : never
type RequiredKeys<S> = { [K in keyof S]: S[K] extends { readonly required: true } ? K : never }[keyof S]

/** What a constructor takes. */
export type ConfigInput<S> = { [K in RequiredKeys<S>]: InputOf<S[K]> } & {
  [K in Exclude<keyof S, RequiredKeys<S>>]?: InputOf<S[K]> | undefined
}

/** What an instance holds. */
export type Config<S> = { readonly [K in keyof S]: OutputOf<S[K]> }

/** Thrown by fields; {@link parseConfig} adds who and which option. */
class FieldError extends Error {}

function wanted(what: string): never {
  throw new FieldError(what)
}

/**
 * Checks a configuration against its schema. Every mistake names the class, the option, what was wanted and what came;
 * an option that does not exist is answered with the nearest one that does.
 */
export function parseConfig<S extends Schema>(owner: string, schema: S, input: unknown, known: readonly string[] = []): Config<S> {
  const given = (input ?? {}) as Record<string, unknown>
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigError(`${owner}: expected an object of options, received ${show(input)}`, { owner })
  }
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(schema, key) || known.includes(key)) continue
    const near = [...Object.keys(schema), ...known].find((k) => k.toLowerCase() === toCamelCase(key).toLowerCase())
    const hint = near ? `did you mean '${near}'?` : `expected one of ${[...Object.keys(schema), ...known].join(', ')}`
    throw new ConfigError(`${owner}: unknown option '${key}'; ${hint}`, { owner, option: key })
  }
  const config: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(schema)) {
    const value = Object.hasOwn(given, key) && given[key] !== undefined ? given[key] : field.fallback
    if (value === undefined && field.required) {
      throw new ConfigError(`${owner}: option '${key}' is required`, { owner, option: key })
    }
    try {
      config[key] = field.parse(value)
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      throw new ConfigError(`${owner}: '${key}' must be ${error.message}. Received: ${show(value)}`, {
        owner,
        option: key,
        received: value,
      })
    }
  }
  return config as Config<S>
}

/** The configuration as plain JSON with our option names. */
export function serializeConfig<S extends Schema>(schema: S, config: Config<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([key, field]) => [key, field.serialize((config as Record<string, unknown>)[key] as never)]),
  )
}

/** The configuration as Keras's files hold it. */
export function toKerasConfig<S extends Schema>(schema: S, config: Config<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([key, field]) => {
      const value = (config as Record<string, unknown>)[key] as never
      return [field.kerasKey ?? toKerasKey(key), field.toKeras ? field.toKeras(value) : field.serialize(value)]
    }),
  )
}

/** Our option names for a configuration from one of Keras's files. Keys without a field are left out when `ignored` has them. */
export function fromKerasConfig(schema: Schema, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = new Map(Object.entries(schema).map(([key, field]) => [field.kerasKey ?? toKerasKey(key), key]))
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [names.get(key) ?? toCamelCase(key), value]))
}

interface Bounds {
  readonly min?: number
  readonly max?: number
}

function inBounds(value: number, { min, max }: Bounds): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}

function boundsText({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` in ${min}..${max}`
  if (min !== undefined) return ` >= ${min}`
  return max === undefined ? '' : ` <= ${max}`
}

const same = <T>(value: T): T => value
const float = (value: number | null): PythonFloat | null => (value === null ? null : new PythonFloat(value))

/** A whole number. */
export function integer(options: Bounds & { default: number; kerasKey?: string }): Field<number, number, false>
export function integer(options?: Bounds & { kerasKey?: string }): Field<number, number, true>
export function integer(options: Bounds & { default?: number; kerasKey?: string } = {}): Field<number, number> {
  return {
    required: options.default === undefined,
    fallback: options.default,
    parse: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && inBounds(value, options)
        ? value
        : wanted(`an integer${boundsText(options)}`),
    serialize: same,
    ...(options.kerasKey === undefined ? {} : { kerasKey: options.kerasKey }),
  }
}

/** A whole number or `null`. */
export function optionalInteger(options: Bounds = {}): Field<number | null, number | null, false> {
  return {
    required: false,
    fallback: null,
    parse: (value) =>
      value === null || (typeof value === 'number' && Number.isSafeInteger(value) && inBounds(value, options))
        ? value
        : wanted(`an integer${boundsText(options)} or null`),
    serialize: same,
  }
}

/** A real number, which Python must read as a float. */
export function number(options: Bounds & { default: number; kerasKey?: string }): Field<number, number, false>
export function number(options?: Bounds & { kerasKey?: string }): Field<number, number, true>
export function number(options: Bounds & { default?: number; kerasKey?: string } = {}): Field<number, number> {
  return {
    required: options.default === undefined,
    fallback: options.default,
    parse: (value) =>
      typeof value === 'number' && Number.isFinite(value) && inBounds(value, options)
        ? value
        : wanted(`a finite number${boundsText(options)}`),
    serialize: same,
    toKeras: float,
    ...(options.kerasKey === undefined ? {} : { kerasKey: options.kerasKey }),
  }
}

/** A real number or `null`. */
export function optionalNumber(options: Bounds & { kerasKey?: string } = {}): Field<number | null, number | null, false> {
  return {
    required: false,
    fallback: null,
    parse: (value) =>
      value === null || (typeof value === 'number' && Number.isFinite(value) && inBounds(value, options))
        ? value
        : wanted(`a finite number${boundsText(options)} or null`),
    serialize: same,
    toKeras: float,
    ...(options.kerasKey === undefined ? {} : { kerasKey: options.kerasKey }),
  }
}

/** Some text that is not empty. */
export function text(fallback: string): Field<string, string, false> {
  return {
    required: false,
    fallback,
    parse: (value) => (typeof value === 'string' && value !== '' ? value : wanted('a string that is not empty')),
    serialize: same,
  }
}

/** `true` or `false`. */
export function boolean(fallback: boolean): Field<boolean, boolean, false> {
  return {
    required: false,
    fallback,
    parse: (value) => (typeof value === 'boolean' ? value : wanted('true or false')),
    serialize: same,
  }
}

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[], fallback: W): Field<W, W, false> {
  return {
    required: false,
    fallback,
    parse: (value) =>
      words.includes(value as W) ? (value as W) : wanted(`one of ${words.map((w) => `'${w}'`).join(', ')}`),
    serialize: same,
  }
}

/** Two whole numbers; one number stands for both. */
export function pair(options: { min?: number; default: number | readonly [number, number] }): Field<number | readonly [number, number], [number, number], false>
export function pair(options?: { min?: number }): Field<number | readonly [number, number], [number, number], true>
export function pair(
  options: { min?: number; default?: number | readonly [number, number] } = {},
): Field<number | readonly [number, number], [number, number]> {
  const min = options.min ?? 1
  const valid = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= min
  return {
    required: options.default === undefined,
    fallback: options.default,
    parse: (value) => {
      if (valid(value)) return [value, value]
      if (Array.isArray(value) && value.length === 2 && valid(value[0]) && valid(value[1])) return [value[0], value[1]]
      return wanted(`an integer >= ${min} or two of them`)
    },
    serialize: same,
  }
}

/** A list of whole numbers. */
export function integers(options: Bounds & { default: readonly number[] }): Field<readonly number[], number[], false>
export function integers(options?: Bounds): Field<readonly number[], number[], true>
export function integers(options: Bounds & { default?: readonly number[] } = {}): Field<readonly number[], number[]> {
  return {
    required: options.default === undefined,
    fallback: options.default,
    parse: (value) =>
      Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && inBounds(n as number, options))
        ? (value as number[])
        : wanted(`an array of integers${boundsText(options)}`),
    serialize: same,
  }
}

/** A field made of any checks; `wanted` completes "must be". */
export function field<In, Out>(options: {
  default?: In
  required?: false
  wanted: string
  parse(value: unknown): Out | undefined
  serialize(value: Out): unknown
  toKeras?(value: Out): unknown
  kerasKey?: string
}): Field<In, Out, false> {
  return {
    required: false,
    fallback: options.default,
    parse: (value) => {
      const parsed = options.parse(value)
      return parsed === undefined ? wanted(options.wanted) : parsed
    },
    serialize: (value) => options.serialize(value),
    ...(options.toKeras ? { toKeras: options.toKeras } : {}),
    ...(options.kerasKey === undefined ? {} : { kerasKey: options.kerasKey }),
  }
}
