import { ShapeError } from '../core/errors.ts'
import { formatShape, type Shape } from '../core/types.ts'

/**
 * The extent of an axis whose size a weight depends on.
 *
 * @throws ShapeError when there is no such axis or its extent is not known.
 */
export function knownExtent(shape: Shape, axis: number): number {
  const extent = shape.at(axis)
  if (typeof extent === 'number') return extent
  const which = axis === -1 ? 'last extent' : `extent ${axis}`
  throw new ShapeError(`expected a known ${which}, received ${formatShape(shape)}`, { axis, received: shape })
}
