import { ConfigError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { optionalInteger, type Field } from '../core/schema.ts'
import { nextSeed } from '../core/seed.ts'
import type { DType } from '../core/types.ts'
import { tensor, type Tensor } from '../native/tensor.ts'
import { withoutTrace } from '../native/trace.ts'
import * as ops from '../ops/index.ts'
import { Initializer } from './base.ts'

/** Which numbers to draw. */
export type Distribution =
  | { readonly distribution: 'uniform'; readonly minval: number; readonly maxval: number }
  | { readonly distribution: 'normal' | 'truncated_normal'; readonly mean: number; readonly stddev: number }

/** The option `seed`: a whole number, or `null` for one drawn when the initializer is made. */
export function seedField(): Field<number | null, number | null, false> {
  return optionalInteger({ min: 0 })
}

/** Draws from a distribution that may depend on the shape. */
export abstract class RandomInitializer extends Initializer {
  readonly #drawnSeed = nextSeed()
  declare readonly config: { readonly seed: number | null }

  /** The distribution for weights of this shape. */
  abstract distributionFor(shape: readonly number[]): Distribution

  /** @throws ConfigError for a type other than float32. */
  override make(shape: readonly number[], dtype: DType): Tensor {
    if (dtype !== 'float32') {
      throw new ConfigError(`${this.constructor.name}: expected dtype 'float32', received ${show(dtype)}`, { dtype })
    }
    return draw(shape, this.config.seed ?? this.#drawnSeed, this.distributionFor(shape))
  }
}

/** Numbers of a distribution; the same seed and shape always give the same. */
export function draw(shape: readonly number[], seed: number, from: Distribution): Tensor {
  const state = tensor(Int32Array.of(seed | 0, 0))
  return withoutTrace(() => {
    if (from.distribution === 'uniform') return ops.randomUniform(state, state, { shape, low: from.minval, high: from.maxval })
    const options = { shape, mean: from.mean, stddev: from.stddev }
    return from.distribution === 'normal' ? ops.randomNormal(state, state, options) : ops.randomTruncatedNormal(state, state, options)
  }) as Tensor
}
