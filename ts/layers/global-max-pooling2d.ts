import { boolean } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import type { InputSpec } from './layer.ts'

/** The largest cell of each channel of images: `[N, H, W, C]` to `[N, C]`, or `[N, 1, 1, C]` with `keepdims`. */
export class GlobalMaxPooling2D extends configured('GlobalMaxPooling2D', { dataFormat: dataFormatField(), keepdims: boolean(false) }) {
  override inputSpec: InputSpec = { rank: 4 }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.max(x, { axis: [1, 2], keepdims: this.config.keepdims })
  }
}
