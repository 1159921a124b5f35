import { integer } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { inTopK } from './in-top-k.ts'
import { MeanOf } from './mean-of.ts'

/** How often the target's class is among the `k` (default 5) largest predictions; ties count. */
export class SparseTopKCategoricalAccuracy extends builtInMetric(
  'SparseTopKCategoricalAccuracy',
  'sparse_top_k_categorical_accuracy',
  { k: integer({ default: 5, min: 1 }) },
  MeanOf,
) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    const trailing = yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1
    return inTopK(trailing ? ops.squeeze(yTrue, -1) : yTrue, yPred, this.config.k)
  }
}
registerObject('keras.metrics', SparseTopKCategoricalAccuracy, 'sparse_top_k_categorical_accuracy')
