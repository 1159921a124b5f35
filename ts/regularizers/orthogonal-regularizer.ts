import { ShapeError } from '../core/errors.ts'
import { number, oneOf } from '../core/schema.ts'
import { configuredObject, registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import { tensor } from '../native/tensor.ts'
import * as ops from '../ops/index.ts'
import { Regularizer } from './base.ts'

/**
 * `factor` times the mean absolute dot product between different L2-normalized rows (or columns) of a matrix.
 * `factor` is 0.01 and `mode` is `'rows'` by default.
 */
export class OrthogonalRegularizer extends configuredObject(
  'keras.regularizers',
  'OrthogonalRegularizer',
  { factor: number({ default: 0.01, min: 0 }), mode: oneOf(['rows', 'columns'], 'rows') },
  Regularizer,
) {
  override penalty(x: SymbolicTensor): SymbolicTensor {
    const { factor, mode } = this.config
    const axis = mode === 'rows' ? 0 : 1
    const size = x.shape[axis]
    if (x.rank !== 2 || size === null || size === undefined) {
      throw new ShapeError(`OrthogonalRegularizer: expected a matrix of known extents, received ${formatShape(x.shape)}`)
    }
    const unit = ops.normalize(x, 1 - axis)
    const products = ops.matmul(unit, unit, mode === 'rows' ? { transposeB: true } : { transposeA: true })
    const others = tensor(Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 0 : 1)), [size, size])
    const total = ops.sum(ops.abs(ops.multiply(products, others)))
    return ops.divide(ops.multiply(total, factor), size * (size - 1))
  }
}
registerObject('keras.regularizers', OrthogonalRegularizer, 'orthogonal_regularizer')
