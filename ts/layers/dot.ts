import { ShapeError } from '../core/errors.ts'
import { boolean, field, type Field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'
import { tensorList } from './merge.ts'

function axesField(): Field<number | readonly [number, number], number | readonly [number, number], true> {
  const pairOrInteger = field<number | readonly [number, number], number | readonly [number, number]>({
    wanted: 'an integer or two of them',
    parse: (value) => {
      const valid = Number.isSafeInteger(value) || (Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger))
      return valid ? (value as number | readonly [number, number]) : undefined
    },
    serialize: (value) => value,
  })
  return { ...pairOrInteger, required: true }
}

/**
 * Dot products of two tensors, row by row, along an axis of each: `[batch, a] · [batch, a]` to `[batch, 1]`, and of
 * `[batch, m, a]` and `[batch, n, a]` along their last axes to `[batch, m, n]`. With `normalize` the vectors have length
 * 1, which makes the products cosines.
 */
export class Dot extends configured('Dot', { axes: axesField(), normalize: boolean(false) }) {
  override supportsMasking = true

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const [left, right] = tensorList(inputs, 2) as [SymbolicTensor, SymbolicTensor]
    const [a, b] = [this.config.axes].flat() as [number, number?]
    const [leftAxis, rightAxis] = [axisIn(left, a), axisIn(right, b ?? a)]
    const [n, m] = [left.shape[leftAxis], right.shape[rightAxis]]
    if (n !== null && m !== null && n !== m) {
      throw new ShapeError(`expected equal extents along the axes ${leftAxis} and ${rightAxis}, received ${formatShape(left.shape)} and ${formatShape(right.shape)}`)
    }
    const x = this.config.normalize ? ops.normalize(left, leftAxis) : left
    const y = this.config.normalize ? ops.normalize(right, rightAxis) : right
    if (x.rank === 2 && y.rank === 2) return ops.sum(ops.multiply(x, y), { axis: 1, keepdims: true })
    const rows = x.rank === 2 ? ops.expandDims(x, 1) : x
    const columns = y.rank === 2 ? ops.expandDims(y, 2) : y
    const product = ops.matmul(rows, columns, { transposeA: x.rank === 3 && leftAxis === 1, transposeB: y.rank === 3 && rightAxis === 2 })
    if (x.rank === 2) return ops.squeeze(product, 1)
    return y.rank === 2 ? ops.squeeze(product, -1) : product
  }

  override computeMask(): Masks {
    return undefined
  }
}

function axisIn(x: SymbolicTensor, axis: number): number {
  const fromFront = axis < 0 ? axis + x.rank : axis
  if (x.rank !== 2 && x.rank !== 3) throw new ShapeError(`expected tensors of rank 2 or 3, received ${formatShape(x.shape)}`)
  if (fromFront < 1 || fromFront >= x.rank) throw new ShapeError(`expected an axis behind the batch, received ${axis} for ${formatShape(x.shape)}`)
  return fromFront
}
