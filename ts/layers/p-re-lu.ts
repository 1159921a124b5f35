import { constraintField } from '../constraints/constraint.ts'
import { ConfigError } from '../core/errors.ts'
import { field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type Shape } from '../core/types.ts'
import { initializerField } from '../initializers/initializer.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured } from './configured.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

/**
 * `x` where positive, else `alpha * x` with learned slopes: one for each place of a row, shared along `sharedAxes`
 * (counted from 1; for images `[1, 2]` leaves one slope for each channel).
 */
export class PReLU extends configured('PReLU', {
  alphaInitializer: initializerField('zeros'),
  alphaRegularizer: regularizerField(),
  alphaConstraint: constraintField(),
  sharedAxes: field<number | readonly number[] | null, readonly number[] | null>({
    default: null,
    wanted: 'an integer >= 1, an array of them or null',
    parse: (value) => {
      const list = value === null ? [] : [value].flat()
      if (!list.every((n) => Number.isSafeInteger(n) && (n as number) >= 1)) return undefined
      return value === null ? null : (list as number[])
    },
    serialize: (value) => value,
  }),
}) {
  declare alpha: Variable
  override supportsMasking = true
  override inputSpec: InputSpec | undefined = { minRank: 2 }

  override build(inputShape: Shape): void {
    const { alphaInitializer, alphaRegularizer, alphaConstraint, sharedAxes } = this.config
    const wrong = sharedAxes?.find((axis) => axis >= inputShape.length)
    if (wrong !== undefined) {
      throw new ConfigError(`PReLU '${this.name}': expected 'sharedAxes' of ${formatShape(inputShape)}, received ${wrong}`)
    }
    const shape = inputShape.slice(1).map((_, i) => (sharedAxes?.includes(i + 1) ? 1 : knownExtent(inputShape, i + 1)))
    this.inputSpec = { rank: inputShape.length }
    this.alpha = this.addWeight({
      name: 'alpha',
      shape,
      initializer: alphaInitializer,
      regularizer: alphaRegularizer,
      constraint: alphaConstraint,
    })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.subtract(ops.relu(x), ops.multiply(this.alpha, ops.relu(ops.negative(x))))
  }
}
