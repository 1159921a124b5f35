import { ConfigError } from '../core/errors.ts'
import { PythonFloat } from '../core/python-json.ts'
import { field, integers, type Field } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInSchedule } from './built-in.ts'

function rates(): Field<readonly number[], readonly number[], false> {
  return field<readonly number[], readonly number[]>({
    wanted: 'an array of finite numbers',
    parse: (value) =>
      Array.isArray(value) && value.every((rate) => typeof rate === 'number' && Number.isFinite(rate))
        ? (value as number[])
        : undefined,
    serialize: (value) => value,
    toKeras: (value) => value.map((rate) => new PythonFloat(rate)),
  })
}

/** `values[i]` while the step is at most `boundaries[i]`, and the last value from then on. */
export class PiecewiseConstantDecay extends builtInSchedule('PiecewiseConstantDecay', 'PiecewiseConstant', {
  boundaries: integers(),
  values: rates(),
}) {
  constructor(config: {
    readonly boundaries: readonly number[]
    readonly values: readonly number[]
    readonly name?: string
  }) {
    super(config)
    const { boundaries, values } = this.config
    if (boundaries.length !== values.length - 1 || boundaries.length === 0) {
      throw new ConfigError(
        `PiecewiseConstantDecay: expected one more value than boundaries, received ${boundaries.length} boundaries and ${values.length} values`,
      )
    }
    const late = boundaries.findIndex((boundary, i) => i > 0 && boundary <= (boundaries[i - 1] as number))
    if (late !== -1)
      throw new ConfigError(`PiecewiseConstantDecay: expected boundaries that rise, received ${boundaries.join(', ')}`)
  }

  override rate(step: SymbolicTensor): SymbolicTensor {
    const { boundaries, values } = this.config
    const last = ops.multiply(ops.onesLike(step, 'float32'), values[boundaries.length] as number)
    return boundaries.reduceRight(
      (later, boundary, i) => ops.where(ops.lessEqual(step, boundary), values[i] as number, later),
      last,
    )
  }
}
registerObject('keras.optimizers.schedules', PiecewiseConstantDecay)
