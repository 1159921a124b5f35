import { ShapeError } from '../core/errors.ts'
import { integers } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { InputSpec } from './layer.ts'

/** Each row under another shape: `[batch, ...]` to `[batch, ...targetShape]`. One extent may be -1: what is left. */
export class Reshape extends configured('Reshape', { targetShape: integers({ min: -1 }) }) {
  override inputSpec: InputSpec = { minRank: 1 }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { targetShape } = this.config
    const extents = x.shape.slice(1)
    if (targetShape.filter((extent) => extent === -1).length > 1) {
      throw new ShapeError(`expected a target shape with one -1 at most, received ${formatShape(targetShape)}`)
    }
    if (!extents.every((extent) => extent !== null)) return ops.reshape(x, [null, ...targetShape])
    const size = extents.reduce((n, extent) => n * extent, 1)
    const stated = targetShape.reduce((n, extent) => (extent === -1 ? n : n * extent), 1)
    const rest = size === stated ? 1 : size / stated
    if (targetShape.includes(-1) ? !Number.isInteger(rest) : size !== stated) {
      throw new ShapeError(`expected rows that fit the target shape ${formatShape(targetShape)}, received ${formatShape(x.shape)}`)
    }
    return ops.reshape(x, [null, ...targetShape.map((extent) => (extent === -1 ? rest : extent))])
  }
}
