import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { sameRank } from '../losses/same-rank.ts'
import * as ops from '../ops/index.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** How often the prediction equals the target. As a name, `'accuracy'` chooses by the shapes among the other accuracies. */
export class Accuracy extends builtInMetric('Accuracy', 'accuracy', {}, MeanOf) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return ops.cast(ops.equal(...sameRank(yTrue, yPred)), 'float32')
  }
}
registerObject('keras.metrics', Accuracy, 'accuracy')
