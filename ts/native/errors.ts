import { ConfigError, DataError, FerrographError, FileError, InternalError, ShapeError, StateError } from '../core/errors.ts'

/** Turns an error of the native core into one of the library's classes. The core's sentence is kept. */
export function translateError(error: unknown): unknown {
  if (error instanceof FerrographError || !(error instanceof Error)) return error
  const code = (error as { code?: unknown }).code
  const details = (error as { details?: Record<string, unknown> }).details ?? {}
  const options = { cause: error }
  switch (code) {
    case 'SHAPE':
      return new ShapeError(error.message, details, options)
    case 'CONFIG':
      return new ConfigError(error.message, details, options)
    case 'DATA':
    case 'MEMORY':
      return new DataError(error.message, details, options)
    case 'DISPOSED':
    case 'STATE':
      return new StateError(error.message, details, options)
    default:
      if (typeof code === 'string' && code.startsWith('FILE')) return new FileError(error.message, code, details, options)
      return new InternalError(error.message, { code, ...details }, options)
  }
}

/** Calls into the native core; whatever it throws is translated. */
export function translated<R>(body: () => R): R {
  try {
    return body()
  } catch (error) {
    throw translateError(error)
  }
}
