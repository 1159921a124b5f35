import { boolean, integer, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { categoricalCrossentropy } from '../losses/categorical-crossentropy.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean crossentropy of one-hot targets and predictions `[..., classes]`. */
export class CategoricalCrossentropy extends builtInMetric(
  'CategoricalCrossentropy',
  'categorical_crossentropy',
  {
    fromLogits: boolean(false),
    labelSmoothing: number({ default: 0, min: 0, max: 1 }),
    axis: integer({ default: -1 }),
  },
  MeanOf,
) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.metrics', CategoricalCrossentropy, 'categorical_crossentropy')
