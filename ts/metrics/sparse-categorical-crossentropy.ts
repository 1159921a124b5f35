import { boolean, integer, optionalInteger } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { sparseCategoricalCrossentropy } from '../losses/sparse-categorical-crossentropy.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean crossentropy of classes as whole numbers and predictions `[..., classes]`. */
export class SparseCategoricalCrossentropy extends builtInMetric(
  'SparseCategoricalCrossentropy',
  'sparse_categorical_crossentropy',
  { fromLogits: boolean(false), ignoreClass: optionalInteger(), axis: integer({ default: -1 }) },
  MeanOf,
) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.metrics', SparseCategoricalCrossentropy, 'sparse_categorical_crossentropy')
