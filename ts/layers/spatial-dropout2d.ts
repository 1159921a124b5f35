import { number, optionalInteger } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Variable } from '../native/variable.ts'
import { configured } from './configured.ts'
import { dropped } from './dropout.ts'
import { dataFormatField } from './fields.ts'
import type { CallContext, InputSpec } from './layer.ts'
import { firstRandomState } from './random-state.ts'

/** {@link Dropout} of whole channels of images `[N, H, W, C]`. */
export class SpatialDropout2D extends configured('SpatialDropout2D', {
  rate: number({ min: 0, max: 1 }),
  seed: optionalInteger({ min: 0 }),
  dataFormat: dataFormatField(),
}) {
  declare randomState: Variable
  override supportsMasking = true
  override inputSpec: InputSpec = { rank: 4 }

  override build(): void {
    if (this.config.rate > 0) this.randomState = this.addState('seed_generator/seed_generator_state', firstRandomState(this.config.seed))
  }

  override call(x: SymbolicTensor, { training }: CallContext): SymbolicTensor {
    const { rate } = this.config
    return training && rate > 0 ? dropped(x, rate, [null, 1, 1, null], this.randomState) : x
  }
}
