import { field, text, type Field, type Schema } from '../core/schema.ts'
import { configuredObject, type ConfiguredObjectClass } from '../core/serializable.ts'
import { isPlainObject } from '../core/tree.ts'
import type { Metric } from './base.ts'

/** The options of every metric of the library, with its default name. */
export type MetricSchema<S extends Schema> = S & {
  readonly name: ReturnType<typeof text>
  readonly dtype: Field<'float32', 'float32', false>
}

function dtypeField(): Field<'float32', 'float32', false> {
  return field<'float32', 'float32'>({
    default: 'float32',
    wanted: `'float32', the only type metrics compute in so far`,
    parse: (value) => {
      const name = isPlainObject(value) && isPlainObject(value['config']) ? value['config']['name'] : value
      return name === 'float32' || name === null ? 'float32' : undefined
    },
    serialize: (value) => value,
  })
}

/** The base of a metric of the library: options, defaults, checks and the form in files follow from the schema. */
export function builtInMetric<const S extends Schema, Base extends Metric>(
  className: string,
  name: string,
  schema: S,
  base: abstract new () => Base,
): ConfiguredObjectClass<MetricSchema<S>, Base> {
  return configuredObject(
    'keras.metrics',
    className,
    { name: text(name), dtype: dtypeField(), ...schema } as MetricSchema<S>,
    base,
  )
}
