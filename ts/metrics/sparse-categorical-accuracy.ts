import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** How often the largest element of the prediction's last axis stands at the place that the target names. */
export class SparseCategoricalAccuracy extends builtInMetric(
  'SparseCategoricalAccuracy',
  'sparse_categorical_accuracy',
  {},
  MeanOf,
) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    const trailing = yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1
    const matches = ops.cast(ops.equal(trailing ? ops.squeeze(yTrue, -1) : yTrue, ops.argmax(yPred)), 'float32')
    return matches.rank > 1 && matches.shape.at(-1) === 1 ? ops.squeeze(matches, -1) : matches
  }
}
registerObject('keras.metrics', SparseCategoricalAccuracy, 'sparse_categorical_accuracy')
