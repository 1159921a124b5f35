import { activationField } from '../activations/activation.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { configured } from './configured.ts'

/** Applies an activation: a name, a function or a layer. */
export class Activation extends configured('Activation', { activation: activationField('linear') }) {
  override supportsMasking = true
  override inputSpec = {}

  override call(x: SymbolicTensor): SymbolicTensor {
    return this.config.activation(x)
  }
}
