import { integer } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { InputSpec } from './layer.ts'

/** Each row `n` times: `[batch, features]` to `[batch, n, features]`. */
export class RepeatVector extends configured('RepeatVector', { n: integer({ min: 1 }) }) {
  override inputSpec: InputSpec = { rank: 2 }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.broadcastTo(ops.expandDims(x, 1), [null, this.config.n, null])
  }
}
