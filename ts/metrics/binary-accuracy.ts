import { number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { sameRank } from '../losses/same-rank.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** How often targets 0 and 1 equal whether the prediction is above `threshold` (default 0.5). */
export class BinaryAccuracy extends builtInMetric(
  'BinaryAccuracy',
  'binary_accuracy',
  { threshold: number({ default: 0.5 }) },
  MeanOf,
) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    const [t, p] = sameRank(yTrue, yPred)
    return ops.cast(ops.equal(t, ops.cast(ops.greater(p, this.config.threshold), t.dtype)), 'float32')
  }
}
registerObject('keras.metrics', BinaryAccuracy, 'binary_accuracy')
