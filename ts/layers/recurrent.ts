import { ShapeError } from '../core/errors.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import { formatShape, type Shape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import type { CallContext, Masks } from './layer.ts'

/** The shape of the sequence when a recurrent layer is built for it alone or for `[sequence, ...states]`. */
export function sequenceShape(inputShape: Structure<Shape>): Shape {
  const shape = (Array.isArray(inputShape[0 as never]) ? inputShape[0 as never] : inputShape) as Shape
  if (shape.length !== 3) throw new ShapeError(`expected rank 3 [batch, steps, features], received ${formatShape(shape)}`)
  return shape
}

/** The sequence and, if there are any, the first states: an option of the call, or part of the list of inputs. */
export function sequenceWithStates(inputs: Structure<SymbolicTensor>, context: CallContext): [SymbolicTensor, unknown] {
  const [sequence, ...given] = inputs instanceof SymbolicTensor ? [inputs] : (inputs as SymbolicTensor[])
  if (sequence === undefined) throw new ShapeError('expected a sequence [batch, steps, features], received an empty array')
  return [sequence, context['initialState'] ?? (given.length > 0 ? given : undefined)]
}

/** Throws unless the sequence has as many features as the layer was built for. */
export function checkSequence(sequence: SymbolicTensor, features: number): void {
  if (sequence.rank === 3 && (sequence.shape[2] ?? features) === features) return
  throw new ShapeError(`expected ${formatShape([null, null, features])}, received ${formatShape(sequence.shape)}`)
}

/** `count` first states `[batch, units]`: those given, else zeros. */
export function firstStates(sequence: SymbolicTensor, given: unknown, count: 1 | 2, units: number): SymbolicTensor[] {
  if (given === undefined || given === null) {
    const zeros = ops.fill(sequence, [null, units], 0)
    return Array.from({ length: count }, () => zeros)
  }
  const list = Array.isArray(given) ? (given as SymbolicTensor[]) : count === 1 ? [given as SymbolicTensor] : []
  if (list.length === count) return list.map((state) => ops.cast(state, 'float32'))
  const wanted = count === 1 ? 'one tensor' : 'two tensors'
  throw new ShapeError(`expected an initial state of ${wanted} [batch, ${units}], received ${Array.isArray(given) ? given.length : 'another value'}`)
}

/** The mask of the sequence, where its states have one each as well. */
export function firstMask(mask: Masks): SymbolicTensor | undefined {
  return (Array.isArray(mask) ? mask[0] : mask) as SymbolicTensor | undefined
}

/** Outputs, in the order in which they were computed, and the last of them, with 0 where the mask leaves steps out. */
export function zeroWhereMasked(
  outputs: SymbolicTensor,
  last: SymbolicTensor,
  mask: SymbolicTensor | undefined,
  reverse: boolean,
): [SymbolicTensor, SymbolicTensor] {
  if (mask === undefined) return [outputs, last]
  const counts = ops.expandDims(reverse ? ops.flip(mask, 1) : mask, 2)
  const final = ops.slice(counts, [null, -1, null])
  return [ops.where(counts, outputs, 0), ops.where(final, last, 0)]
}
