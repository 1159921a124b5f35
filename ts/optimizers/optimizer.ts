import { getObject, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import { Optimizer } from './base.ts'
import './adam.ts'
import './adamw.ts'
import './rmsprop.ts'
import './sgd.ts'

/** An optimizer by name (`'adam'`), as an object, or as Keras serializes it. */
export type OptimizerInput = ObjectInput<Optimizer>

const kind: ObjectKind<Optimizer> = { module: 'keras.optimizers', noun: 'optimizer', base: Optimizer }

/**
 * The optimizer that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getOptimizer(input: OptimizerInput): Optimizer {
  return getObject(kind, typeof input === 'string' ? input.toLowerCase() : input)
}

export { Optimizer }
