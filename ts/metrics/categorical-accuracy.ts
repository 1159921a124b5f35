import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** How often the largest element of the last axis stands at the same place in target and prediction. */
export class CategoricalAccuracy extends builtInMetric('CategoricalAccuracy', 'categorical_accuracy', {}, MeanOf) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return ops.cast(ops.equal(ops.argmax(yTrue), ops.argmax(yPred)), 'float32')
  }
}
registerObject('keras.metrics', CategoricalAccuracy, 'categorical_accuracy')
