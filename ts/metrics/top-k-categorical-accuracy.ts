import { integer } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { inTopK } from './in-top-k.ts'
import { MeanOf } from './mean-of.ts'

/** How often the class of a one-hot target is among the `k` (default 5) largest predictions; ties count. */
export class TopKCategoricalAccuracy extends builtInMetric(
  'TopKCategoricalAccuracy',
  'top_k_categorical_accuracy',
  { k: integer({ default: 5, min: 1 }) },
  MeanOf,
) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return inTopK(ops.argmax(yTrue), yPred, this.config.k)
  }
}
registerObject('keras.metrics', TopKCategoricalAccuracy, 'top_k_categorical_accuracy')
