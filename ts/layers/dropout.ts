import { ShapeError } from '../core/errors.ts'
import { field, number, optionalInteger } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { isCount } from './fields.ts'
import type { CallContext } from './layer.ts'
import { advance, firstRandomState } from './random-state.ts'

/**
 * In training, sets elements to 0 with probability `rate` and divides the others by `1 - rate`; else passes its input
 * on. `noiseShape` gives the extents of the draw: 1 where elements live or die together, `null` as the input's.
 *
 * With a `seed` the draws are repeatable; each call draws others.
 */
export class Dropout extends configured('Dropout', {
  rate: number({ min: 0, max: 1 }),
  noiseShape: field<Shape | null, Shape | null>({
    default: null,
    wanted: 'an array of integers >= 1 or null, or null',
    parse: (value) => {
      const valid = value === null || (Array.isArray(value) && value.every((n) => n === null || isCount(n)))
      return valid ? (value as Shape | null) : undefined
    },
    serialize: (value) => value,
  }),
  seed: optionalInteger({ min: 0 }),
}) {
  declare randomState: Variable
  override supportsMasking = true
  override inputSpec = {}

  override build(): void {
    if (this.config.rate > 0) this.randomState = this.addState('seed_generator/seed_generator_state', firstRandomState(this.config.seed))
  }

  override call(x: SymbolicTensor, { training }: CallContext): SymbolicTensor {
    const { rate, noiseShape } = this.config
    if (!training || rate === 0) return x
    if (noiseShape && noiseShape.length !== x.rank) {
      throw new ShapeError(`expected rank ${noiseShape.length} as 'noiseShape' ${formatShape(noiseShape)} has, received ${formatShape(x.shape)}`)
    }
    return dropped(x, rate, noiseShape ?? x.shape.map(() => null), this.randomState)
  }
}

/** `x` with elements set to 0 with probability `rate` and the others scaled up; the draw has the extents of `noiseShape`. */
export function dropped(x: SymbolicTensor, rate: number, noiseShape: Shape, state: Variable): SymbolicTensor {
  return rate === 1 ? ops.zerosLike(x) : ops.multiply(x, keepFactors(x, rate, noiseShape, state))
}

/** 0 with probability `rate`, else `1 / (1 - rate)`. */
export function keepFactors(like: SymbolicTensor, rate: number, shape: Shape, state: Variable): SymbolicTensor {
  if (rate === 1) return ops.fill(like, shape, 0)
  const kept = ops.randomBernoulli(like, state, { shape, probability: 1 - rate })
  advance(state)
  return ops.multiply(kept, 1 / (1 - rate))
}
