import { ConfigError } from '../core/errors.ts'
import { integers } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import { configured, type LayerArguments } from './configured.ts'
import type { InputSpec } from './layer.ts'

const schema = { dims: integers({ min: 1 }) } as const

/** Axes in another order; `dims` counts them from 1, the batch stays in front. */
export class Permute extends configured('Permute', schema) {
  override inputSpec: InputSpec

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    const { dims } = this.config
    if (new Set(dims).size < dims.length || Math.max(0, ...dims) !== dims.length) {
      throw new ConfigError(`Permute '${this.name}': 'dims' must be the numbers 1 to ${dims.length} in any order. Received: ${formatShape(dims)}`)
    }
    this.inputSpec = { rank: dims.length + 1 }
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.transpose(x, [0, ...this.config.dims])
  }
}
