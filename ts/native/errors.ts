import {
  AbortError,
  ConfigError,
  DataError,
  FerrographError,
  FileError,
  InternalError,
  ShapeError,
  StateError,
  type ErrorDetails,
} from '../core/errors.ts'

type ErrorClass = new (message: string, details?: ErrorDetails, options?: ErrorOptions) => FerrographError

/** Which class stands for each code of the native core. Codes that are missing here are its own faults. */
const classes: Readonly<Record<string, ErrorClass>> = {
  OPERANDS: ShapeError,
  RANK: ShapeError,
  UPDATE: ShapeError,
  VARIABLE: ShapeError,
  INPUT: ShapeError,
  OP: ConfigError,
  NOT_DIFFERENTIABLE: ConfigError,
  NOT_SCALAR: ConfigError,
  ARGUMENT: DataError,
  DETACHED: DataError,
  LENGTH: DataError,
  SIZE: DataError,
  MEMORY: DataError,
  DATA: DataError,
  INPUT_COUNT: DataError,
  InvalidArg: DataError,
  DISPOSED: StateError,
  CANCELLED: AbortError,
}

/** Turns an error of the native core into one of the library's classes; its sentence is kept, its values are the details. */
export function translateError(error: unknown): unknown {
  if (error instanceof FerrographError || !(error instanceof Error)) return error
  const { code = '', fields = {} } = error as { code?: string; fields?: Record<string, unknown> }
  const options = { cause: error }
  const known = Object.hasOwn(classes, code) ? classes[code] : undefined
  if (known) return new known(error.message, fields, options)
  if (code.startsWith('FILE')) return new FileError(error.message, code, fields, options)
  return new InternalError(error.message, { code, ...fields }, options)
}

/** Calls into the native core; whatever it throws is translated. */
export function translated<R>(body: () => R): R {
  try {
    return body()
  } catch (error) {
    throw translateError(error)
  }
}
