import { boolean } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import type { InputSpec } from './layer.ts'

/** The largest step of each feature: `[batch, steps, features]` to `[batch, features]`. Masks are not heeded, as in Keras. */
export class GlobalMaxPooling1D extends configured('GlobalMaxPooling1D', { dataFormat: dataFormatField(), keepdims: boolean(false) }) {
  override inputSpec: InputSpec = { rank: 3 }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.max(x, { axis: 1, keepdims: this.config.keepdims })
  }
}
