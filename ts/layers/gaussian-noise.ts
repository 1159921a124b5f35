import { number, optionalInteger } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { CallContext } from './layer.ts'
import { advance, firstRandomState } from './random-state.ts'

/** In training, adds numbers drawn from a normal distribution of mean 0 and standard deviation `stddev` (0 to 1). */
export class GaussianNoise extends configured('GaussianNoise', {
  stddev: number({ min: 0, max: 1 }),
  seed: optionalInteger({ min: 0 }),
}) {
  declare randomState: Variable
  override supportsMasking = true
  override inputSpec = {}

  override build(): void {
    if (this.config.stddev > 0) this.randomState = this.addState('seed_generator/seed_generator_state', firstRandomState(this.config.seed))
  }

  override call(x: SymbolicTensor, { training }: CallContext): SymbolicTensor {
    const { stddev } = this.config
    if (!training || stddev === 0) return x
    const noise = ops.randomNormal(x, this.randomState, { shape: x.shape.map(() => null), stddev })
    advance(this.randomState)
    return ops.add(x, noise)
  }
}
