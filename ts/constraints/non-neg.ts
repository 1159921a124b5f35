import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Constraint } from './base.ts'

/** Nothing below 0. */
export class NonNeg extends configuredObject('keras.constraints', 'NonNeg', {}, Constraint) {
  override apply(w: SymbolicTensor): SymbolicTensor {
    return ops.maximum(w, 0)
  }
}
registerObject('keras.constraints', NonNeg, 'non_neg')
