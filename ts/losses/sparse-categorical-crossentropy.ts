import { boolean, integer, optionalInteger } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInLoss } from './built-in.ts'
import { classesOf } from './label-smoothing.ts'
import { share } from './log-probabilities.ts'

/** Options of {@link sparseCategoricalCrossentropy}. */
export interface SparseCategoricalCrossentropyOptions {
  readonly fromLogits?: boolean
  readonly ignoreClass?: number | null
  readonly axis?: number
}

/** `-log(p[class])` with classes as whole numbers; one that does not exist counts 0. */
export function sparseCategoricalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  options: SparseCategoricalCrossentropyOptions = {},
): SymbolicTensor {
  const { fromLogits = false, ignoreClass = null, axis = -1 } = options
  const trailing = yTrue.rank === yPred.rank && yTrue.shape.at(axis) === 1
  const ids = ops.cast(trailing ? ops.squeeze(yTrue, axis) : yTrue, 'int32')
  if (ignoreClass === null) return crossentropy(ids, yPred, fromLogits, axis)
  const valid = ops.notEqual(ids, ignoreClass)
  const kept = ops.where(ops.expandDims(valid, axis), yPred, 0)
  const values = crossentropy(ops.where(valid, ids, 0), kept, fromLogits, axis)
  const result = ops.where(valid, values, 0)
  result.mask = valid
  return result
}

/** Only what stands at the class is read, so that many classes cost no more than few. */
function crossentropy(ids: SymbolicTensor, yPred: SymbolicTensor, fromLogits: boolean, axis: number): SymbolicTensor {
  const classes = classesOf('sparse_categorical_crossentropy', yPred, axis)
  const exists = ops.logicalAnd(ops.greaterEqual(ids, 0), ops.less(ids, classes))
  const place = ops.expandDims(ops.where(exists, ids, 0), axis)
  const logarithms = fromLogits
    ? ops.takeAlongAxis(ops.logSoftmax(yPred, axis), place, axis)
    : ops.log(share(ops.takeAlongAxis(yPred, place, axis), yPred, axis))
  return ops.where(exists, ops.negative(ops.squeeze(logarithms, axis)), 0)
}

/**
 * Crossentropy of classes as whole numbers `[...]` or `[..., 1]` and predictions `[..., classes]`: probabilities,
 * divided by their sum and clipped, or logits where `fromLogits` says so. Elements of class `ignoreClass` do not count.
 */
export class SparseCategoricalCrossentropy extends builtInLoss(
  'SparseCategoricalCrossentropy',
  'sparse_categorical_crossentropy',
  {
    fromLogits: boolean(false),
    ignoreClass: optionalInteger(),
    axis: integer({ default: -1 }),
  },
) {
  override call(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.losses', SparseCategoricalCrossentropy, 'sparse_categorical_crossentropy')
