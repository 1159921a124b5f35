import { getObject, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import { Loss } from './base.ts'
import { FunctionLoss, type LossFunction } from './function-loss.ts'
import './binary-crossentropy.ts'
import './categorical-crossentropy.ts'
import './categorical-hinge.ts'
import './cosine-similarity.ts'
import './hinge.ts'
import './huber.ts'
import './kl-divergence.ts'
import './log-cosh.ts'
import './mean-absolute-error.ts'
import './mean-absolute-percentage-error.ts'
import './mean-squared-error.ts'
import './mean-squared-logarithmic-error.ts'
import './poisson.ts'
import './sparse-categorical-crossentropy.ts'
import './squared-hinge.ts'

/** A loss by name (`'mse'`, `'binary_crossentropy'`, `'binaryCrossentropy'`), as an object, as Keras serializes it, or a function. */
export type LossInput = ObjectInput<Loss> | LossFunction

const kind: ObjectKind<Loss> = {
  module: 'keras.losses',
  noun: 'loss',
  base: Loss,
  fromFunction: (body) => new FunctionLoss(body as LossFunction),
}

/**
 * The loss that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getLoss(input: LossInput): Loss {
  return getObject(kind, input)
}

export { Loss }
