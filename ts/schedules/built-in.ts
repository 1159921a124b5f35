import { text, type Schema } from '../core/schema.ts'
import { configuredObject, type ConfiguredObjectClass } from '../core/serializable.ts'
import { Schedule } from './base.ts'

/** The options of every schedule of the library, with its default name. */
export type ScheduleSchema<S extends Schema> = S & { readonly name: ReturnType<typeof text> }

/** The base of a schedule of the library: options, defaults, checks and the form in files follow from the schema. */
export function builtInSchedule<const S extends Schema>(
  className: string,
  name: string,
  schema: S,
): ConfiguredObjectClass<ScheduleSchema<S>, Schedule> {
  return configuredObject(
    'keras.optimizers.schedules',
    className,
    { ...schema, name: text(name) } as ScheduleSchema<S>,
    Schedule,
  )
}
