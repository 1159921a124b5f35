/** What an error carries beside its sentence: the values it speaks of, by name. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * The base of every error that this library throws on purpose. `code` never changes between releases, so programs may
 * test it; `details` holds the values that the sentence speaks of.
 */
export class FerrographError extends Error {
  /** A stable name of what went wrong, such as `SHAPE`. */
  readonly code: string
  /** The values that the sentence speaks of. */
  readonly details: ErrorDetails

  constructor(message: string, code: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.details = details
  }
}

/** A tensor has another shape, rank or type than the operation or layer needs. */
export class ShapeError extends FerrographError {
  constructor(message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'SHAPE', details, options)
  }
}

/** An option, a name or a configuration is not what it must be. */
export class ConfigError extends FerrographError {
  constructor(message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'CONFIG', details, options)
  }
}

/** The data given to a run is not what the model needs. */
export class DataError extends FerrographError {
  constructor(message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'DATA', details, options)
  }
}

/** A file is missing, damaged, hostile, or holds something else than was asked for. */
export class FileError extends FerrographError {
  constructor(message: string, code = 'FILE', details?: ErrorDetails, options?: ErrorOptions) {
    super(message, code, details, options)
  }
}

/** An object is used in a state that does not allow it: disposed, not compiled, not built. */
export class StateError extends FerrographError {
  constructor(message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'STATE', details, options)
  }
}

/** The caller's `AbortSignal` ended the work. `cause` is the signal's reason. */
export class AbortError extends FerrographError {
  constructor(message = 'The operation was aborted', details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'ABORT', details, options)
  }
}

/** The native core failed in a way that is not the caller's doing; please report it. */
export class InternalError extends FerrographError {
  constructor(message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, 'INTERNAL', details, options)
  }
}
