import { getObject, objectField, type ObjectInput, type ObjectKind } from '../core/object-kind.ts'
import type { Field } from '../core/schema.ts'
import type { DType } from '../core/types.ts'
import type { TensorLike } from '../native/tensor.ts'
import { Initializer } from './base.ts'
import { FunctionInitializer } from './function-initializer.ts'
import './constant.ts'
import './glorot-normal.ts'
import './glorot-uniform.ts'
import './he-normal.ts'
import './he-uniform.ts'
import './identity.ts'
import './lecun-normal.ts'
import './lecun-uniform.ts'
import './ones.ts'
import './orthogonal.ts'
import './random-normal.ts'
import './random-uniform.ts'
import './truncated-normal.ts'
import './variance-scaling.ts'
import './zeros.ts'

/** An initializer by name (`'glorot_uniform'`), as an object, as Keras serializes it, or a function that makes the values. */
export type InitializerInput = ObjectInput<Initializer> | ((shape: readonly number[], dtype: DType) => TensorLike)

const kind: ObjectKind<Initializer> = {
  module: 'keras.initializers',
  noun: 'initializer',
  base: Initializer,
  fromFunction: (body) => new FunctionInitializer(body as (shape: readonly number[], dtype: DType) => TensorLike),
}

/**
 * The initializer that `input` means.
 *
 * @throws ConfigError when it means none.
 */
export function getInitializer(input: InitializerInput): Initializer {
  return getObject(kind, input)
}

/** An option that takes an initializer. A name makes a new one for each layer, so that no two layers share values. */
export function initializerField(fallback: InitializerInput): Field<InitializerInput, Initializer, false> {
  return objectField(kind, fallback)
}

export { Initializer }
