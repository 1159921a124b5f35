import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import type { InputSpec } from './layer.ts'

/** Each row as one vector: `[batch, ...]` to `[batch, elements]`; `[batch]` to `[batch, 1]`. */
export class Flatten extends configured('Flatten', { dataFormat: dataFormatField() }) {
  override inputSpec: InputSpec = { minRank: 1 }

  override call(x: SymbolicTensor): SymbolicTensor {
    const extents = x.shape.slice(1)
    const known = extents.every((extent) => extent !== null)
    // Stated where it is known: of a batch without rows nothing can be inferred.
    return ops.reshape(x, [null, known ? extents.reduce((n, extent) => n * extent, 1) : -1])
  }
}
