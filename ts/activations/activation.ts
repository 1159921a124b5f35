import { ConfigError } from '../core/errors.ts'
import { show, toSnakeCase } from '../core/names.ts'
import { field, type Field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { isPlainObject } from '../core/tree.ts'
import * as functions from './functions.ts'

/** A function of one tensor, written in ops, that gives a tensor of the same shape. */
export type Activation = (x: SymbolicTensor) => SymbolicTensor

/** How files hold a function of the user's. */
interface SerializedFunction {
  readonly module: string | null
  readonly class_name: 'function'
  readonly config: string
  readonly registered_name: string
}

/** An activation by name (`'relu'`), as a function, or as files hold it. `null` is the linear one. */
export type ActivationInput = string | Activation | SerializedFunction | null

const builtIn = new Map<string, Activation>(Object.entries(functions).map(([name, body]) => [toSnakeCase(name), body as Activation]))
const names = new Map([...builtIn].map(([name, body]) => [body, name]))
builtIn.set('swish', functions.silu)
builtIn.set('hard_swish', functions.hardSilu)
const custom = new Map<string, Activation>()

/**
 * Makes a function of your own known, so that layers with it can be saved and loaded.
 *
 * @param name Default: the function's own name.
 * @throws ConfigError when it has no name, or the name is known for another function.
 */
export function registerActivation(body: Activation, name: string = body.name): void {
  if (!name) throw new ConfigError('registerActivation: expected a function with a name')
  if (builtIn.has(name) || (custom.get(name) ?? body) !== body) {
    throw new ConfigError(`registerActivation: '${name}' is the name of another activation`)
  }
  custom.set(name, body)
}

function find(input: unknown): Activation | undefined {
  if (input === null) return functions.linear
  if (typeof input === 'function') return input as Activation
  if (typeof input === 'string') return builtIn.get(input) ?? builtIn.get(toSnakeCase(input)) ?? custom.get(input)
  if (isPlainObject(input) && input['class_name'] === 'function') return find(input['config'])
  return undefined
}

function wanted(): string {
  return `an activation: a name (${[...builtIn.keys(), ...custom.keys()].join(', ')}), a function or null`
}

/**
 * The activation that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getActivation(input: ActivationInput): Activation {
  const found = find(input)
  if (found) return found
  throw new ConfigError(`expected ${wanted()}. Received: ${show(input)}`, { received: input })
}

/**
 * The form in files: the bare name of a built-in one.
 *
 * @throws ConfigError for a function that was not registered.
 */
export function serializeActivation(activation: Activation): string | SerializedFunction {
  const name = names.get(activation)
  if (name !== undefined) return name
  for (const [known, body] of custom) {
    if (body === activation) return { module: 'builtins', class_name: 'function', config: known, registered_name: 'function' }
  }
  throw new ConfigError(`expected an activation that files can hold; register ${show(activation)} with registerActivation`)
}

/** An option that takes an activation. */
export function activationField(fallback: string): Field<ActivationInput, Activation, false> {
  return field<ActivationInput, Activation>({
    default: fallback,
    get wanted() {
      return wanted()
    },
    parse: find,
    serialize: serializeActivation,
  })
}
