import { findObject, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import { isSerializedObject } from '../core/registry.ts'
import { Schedule } from './base.ts'
import './cosine-decay.ts'
import './cosine-decay-restarts.ts'
import './exponential-decay.ts'
import './inverse-time-decay.ts'
import './piecewise-constant-decay.ts'
import './polynomial-decay.ts'

/** A schedule as an object or as Keras serializes it. */
export type ScheduleInput = Exclude<ObjectInput<Schedule>, string>

const kind: ObjectKind<Schedule> = { module: 'keras.optimizers.schedules', noun: 'schedule', base: Schedule }

/** The schedule that a value means, if it means one. */
export function findSchedule(value: unknown): Schedule | undefined {
  return value instanceof Schedule || isSerializedObject(value) ? findObject(kind, value) : undefined
}

export { Schedule }
