import { elu } from '../activations/functions.ts'
import { number } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { configured } from './configured.ts'

/** `x` where positive, else `alpha * (e^x - 1)`; `alpha` is 1 by default. */
export class ELU extends configured('ELU', { alpha: number({ default: 1 }) }) {
  override supportsMasking = true
  override inputSpec = {}

  override call(x: SymbolicTensor): SymbolicTensor {
    return elu(x, this.config.alpha)
  }
}
