import { boolean } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import type { CallContext, InputSpec, Masks } from './layer.ts'

/** The mean of the steps that count: `[batch, steps, features]` to `[batch, features]`. Where none counts it is NaN. */
export class GlobalAveragePooling1D extends configured('GlobalAveragePooling1D', {
  dataFormat: dataFormatField(),
  keepdims: boolean(false),
}) {
  override inputSpec: InputSpec = { rank: 3 }

  override call(x: SymbolicTensor, { mask }: CallContext): SymbolicTensor {
    const over = { axis: 1, keepdims: this.config.keepdims }
    if (!mask) return ops.mean(x, over)
    const counts = ops.expandDims(mask as SymbolicTensor, -1)
    return ops.divide(ops.sum(ops.where(counts, x, 0), over), ops.sum(ops.cast(counts, 'float32'), over))
  }

  override computeMask(): Masks {
    return undefined
  }
}
