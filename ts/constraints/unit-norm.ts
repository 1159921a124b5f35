import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { Constraint } from './base.ts'
import { axisField, epsilon, norms } from './norms.ts'

/** Norms of 1 over `axis` (0; for the kernel of a convolution `[0, 1, 2]`). */
export class UnitNorm extends configuredObject('keras.constraints', 'UnitNorm', { axis: axisField() }, Constraint) {
  override apply(w: SymbolicTensor): SymbolicTensor {
    return ops.divide(w, ops.add(norms(w, this.config.axis), epsilon))
  }
}
registerObject('keras.constraints', UnitNorm, 'unit_norm')
