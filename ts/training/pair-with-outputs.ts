import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { isSerializedObject } from '../core/registry.ts'
import { isPlainObject } from '../core/tree.ts'
import type { Outputs } from './outputs.ts'

/** An option of `compile` that may differ from output to output. */
export interface PairedOption {
  /** The model, for messages. */
  readonly owner: string
  /** The option: `loss`. */
  readonly option: string
  /** Whether an object must name every output. */
  readonly complete: boolean
}

/**
 * An option given as a list in the declared order of the outputs, or as an object by their names, as one value for each
 * output in flat order. Keras pairs lists with outputs sorted by name, which is a known mistake.
 *
 * @throws ConfigError when a name is no output or the number differs.
 */
export function pairWithOutputs(
  { owner, option, complete }: PairedOption,
  given: unknown,
  outputs: Outputs,
): unknown[] {
  const names = outputs.declared.map(({ name }) => name)
  if (Array.isArray(given)) {
    if (given.length !== names.length) {
      throw new ConfigError(
        `${owner}: expected one entry in '${option}' for each of the outputs ${list(names)}, received ${given.length}`,
        { option },
      )
    }
    return outputs.flat.map((output) => given[outputs.declared.indexOf(output)] as unknown)
  }
  const byName = given as Record<string, unknown>
  const keys = Object.keys(byName)
  const unknown = keys.some((key) => !names.includes(key))
  if (unknown || (complete && names.some((name) => !keys.includes(name)))) {
    const hint = complete ? '; null leaves an output out' : ''
    throw new ConfigError(`${owner}: expected the keys ${list(names)} in '${option}', received ${list(keys)}${hint}`, {
      option,
      expected: names,
      received: keys,
    })
  }
  return outputs.flat.map(({ name }) => byName[name])
}

/** Whether an option is a list or an object by output rather than one value. */
export function isByOutput(given: unknown): given is readonly unknown[] | Record<string, unknown> {
  return Array.isArray(given) || (isPlainObject(given) && !isSerializedObject(given))
}

function list(names: readonly string[]): string {
  return `[${names.map(show).join(', ')}]`
}
