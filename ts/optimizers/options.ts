import { PythonFloat } from '../core/python-json.ts'
import { boolean, field, number, optionalInteger, optionalNumber, text, type Field } from '../core/schema.ts'
import { toKerasObject, toPlainObject, type Serializable } from '../core/serializable.ts'
import { findSchedule, Schedule, type ScheduleInput } from '../schedules/schedule.ts'

/** A learning rate: a number, or a schedule that makes it from the number of steps taken. */
export type LearningRate = number | ScheduleInput

function learningRateField(fallback: number): Field<LearningRate, number | Schedule, false> {
  return field<LearningRate, number | Schedule>({
    default: fallback,
    wanted: 'a finite number or a schedule',
    parse: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : findSchedule(value)),
    serialize: (value) => (value instanceof Schedule ? toPlainObject(value as Schedule & Serializable) : value),
    toKeras: (value) =>
      value instanceof Schedule ? toKerasObject(value as Schedule & Serializable) : new PythonFloat(value),
  })
}

/** The options that every optimizer takes, with its default name and learning rate. */
export interface CommonOptions {
  readonly name: ReturnType<typeof text>
  readonly learningRate: Field<LearningRate, number | Schedule, false>
  readonly weightDecay: Field<number | null, number | null, false>
  readonly clipnorm: Field<number | null, number | null, false>
  readonly globalClipnorm: Field<number | null, number | null, false>
  readonly clipvalue: Field<number | null, number | null, false>
  readonly useEma: Field<boolean, boolean, false>
  readonly emaMomentum: Field<number, number, false>
  readonly emaOverwriteFrequency: Field<number | null, number | null, false>
  readonly lossScaleFactor: Field<number | null, number | null, false>
  readonly gradientAccumulationSteps: Field<number | null, number | null, false>
}

/**
 * The options that every optimizer takes.
 *
 * - `weightDecay`: before each step weights shrink by this times the learning rate. Default none.
 * - `clipnorm`, `globalClipnorm`, `clipvalue`: limit the norm of each gradient, of all together, or each element. One of them at most.
 * - `useEma`, `emaMomentum` (0.99), `emaOverwriteFrequency`: keep a moving average of the weights, which replaces them
 *   every so many steps and at the end of `fit`.
 * - `lossScaleFactor`: the loss is multiplied and the gradients are divided by it.
 * - `gradientAccumulationSteps`: step only every so many batches, with the mean of their gradients.
 */
export function commonOptions(name: string, learningRate: number): CommonOptions {
  return {
    name: text(name),
    learningRate: learningRateField(learningRate),
    weightDecay: optionalNumber(),
    clipnorm: optionalNumber({ min: 0 }),
    globalClipnorm: optionalNumber({ min: 0 }),
    clipvalue: optionalNumber({ min: 0 }),
    useEma: boolean(false),
    emaMomentum: number({ default: 0.99, min: 0, max: 1 }),
    emaOverwriteFrequency: optionalInteger({ min: 1 }),
    lossScaleFactor: optionalNumber(),
    gradientAccumulationSteps: optionalInteger({ min: 2 }),
  }
}
