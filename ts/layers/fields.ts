import { field, oneOf, type Field } from '../core/schema.ts'
import { constraintField, type ConstraintInput } from '../constraints/constraint.ts'
import type { Constraint } from '../constraints/base.ts'
import { initializerField, type InitializerInput } from '../initializers/initializer.ts'
import type { Initializer } from '../initializers/base.ts'
import { regularizerField, type RegularizerInput } from '../regularizers/regularizer.ts'
import type { Regularizer } from '../regularizers/base.ts'

/** The option `padding` of windows: none, or zeros so that the result has `ceil(extent / stride)` cells. */
export function paddingField(): Field<'valid' | 'same', 'valid' | 'same', false> {
  return oneOf(['valid', 'same'], 'valid')
}

/** The option `dataFormat`: images are `[N, H, W, C]`. */
export function dataFormatField(): Field<'channels_last' | null, 'channels_last', false> {
  return field<'channels_last' | null, 'channels_last'>({
    default: 'channels_last',
    wanted: "'channels_last', the only order of axes that is supported: images are [N, H, W, C]",
    parse: (value) => (value === null || value === 'channels_last' ? 'channels_last' : undefined),
    serialize: (value) => value,
  })
}

/** Whether a value is a whole number from 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

/** The option `strides` of pooling: `null` for the extents of the window. */
export function poolStridesField(): Field<number | readonly [number, number] | null, [number, number] | null, false> {
  return field<number | readonly [number, number] | null, [number, number] | null>({
    default: null,
    wanted: 'an integer >= 1, two of them or null',
    parse: (value) => {
      if (value === null) return null
      if (isCount(value)) return [value, value]
      if (Array.isArray(value) && value.length === 2 && value.every(isCount)) return [value[0] as number, value[1] as number]
      return undefined
    },
    serialize: (value) => value,
  })
}

/** An option that takes an axis or a list of axes. */
export function axesField(fallback: number): Field<number | readonly number[], number | readonly number[], false> {
  return field<number | readonly number[], number | readonly number[]>({
    default: fallback,
    wanted: 'an integer or an array of integers',
    parse: (value) =>
      Number.isSafeInteger(value) || (Array.isArray(value) && value.length > 0 && value.every(Number.isSafeInteger))
        ? (value as number | readonly number[])
        : undefined,
    serialize: (value) => value,
  })
}

/** The options that every layer with a kernel and a bias takes. */
export const kernelFields: {
  readonly kernelInitializer: Field<InitializerInput, Initializer, false>
  readonly biasInitializer: Field<InitializerInput, Initializer, false>
  readonly kernelRegularizer: Field<RegularizerInput | null, Regularizer | null, false>
  readonly biasRegularizer: Field<RegularizerInput | null, Regularizer | null, false>
  readonly kernelConstraint: Field<ConstraintInput | null, Constraint | null, false>
  readonly biasConstraint: Field<ConstraintInput | null, Constraint | null, false>
} = {
  kernelInitializer: initializerField('glorot_uniform'),
  biasInitializer: initializerField('zeros'),
  kernelRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
  kernelConstraint: constraintField(),
  biasConstraint: constraintField(),
}

/** The options of the scale and the offset of a normalization. */
export const scaleFields: {
  readonly betaInitializer: Field<InitializerInput, Initializer, false>
  readonly gammaInitializer: Field<InitializerInput, Initializer, false>
  readonly betaRegularizer: Field<RegularizerInput | null, Regularizer | null, false>
  readonly gammaRegularizer: Field<RegularizerInput | null, Regularizer | null, false>
  readonly betaConstraint: Field<ConstraintInput | null, Constraint | null, false>
  readonly gammaConstraint: Field<ConstraintInput | null, Constraint | null, false>
} = {
  betaInitializer: initializerField('zeros'),
  gammaInitializer: initializerField('ones'),
  betaRegularizer: regularizerField(),
  gammaRegularizer: regularizerField(),
  betaConstraint: constraintField(),
  gammaConstraint: constraintField(),
}
