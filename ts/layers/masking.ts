import { number } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { InputSpec, Masks } from './layer.ts'

/** Leaves out the steps of `[batch, steps, features]` whose features all are `maskValue` (0), and sets them to 0. */
export class Masking extends configured('Masking', { maskValue: number({ default: 0 }) }) {
  override supportsMasking = true
  override inputSpec: InputSpec = { minRank: 2 }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.where(ops.any(ops.notEqual(x, this.config.maskValue), { axis: -1, keepdims: true }), x, 0)
  }

  override computeMask(x: SymbolicTensor): Masks {
    return ops.any(ops.notEqual(x, this.config.maskValue), { axis: -1 })
  }
}
