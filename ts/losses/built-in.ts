import { text, type Schema } from '../core/schema.ts'
import { configuredObject, type ConfiguredObjectClass } from '../core/serializable.ts'
import { Loss } from './base.ts'
import { reductionField } from './reduction.ts'

/** The options of every loss of the library, with its default name. */
export type LossSchema<S extends Schema> = S & {
  readonly name: ReturnType<typeof text>
  readonly reduction: ReturnType<typeof reductionField>
}

/** The base of a loss of the library: options, defaults, checks and the form in files follow from the schema. */
export function builtInLoss<const S extends Schema>(
  className: string,
  name: string,
  schema: S,
): ConfiguredObjectClass<LossSchema<S>, Loss> {
  return configuredObject(
    'keras.losses',
    className,
    { name: text(name), reduction: reductionField(), ...schema } as LossSchema<S>,
    Loss,
  )
}
