import { leakyRelu } from '../activations/functions.ts'
import { number } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { configured } from './configured.ts'

/** `x` where not negative, else `negativeSlope * x`. The slope is 0.3 here and 0.2 in the activation. */
export class LeakyReLU extends configured('LeakyReLU', { negativeSlope: number({ default: 0.3 }) }) {
  override supportsMasking = true
  override inputSpec = {}

  override call(x: SymbolicTensor): SymbolicTensor {
    return leakyRelu(x, this.config.negativeSlope)
  }
}
