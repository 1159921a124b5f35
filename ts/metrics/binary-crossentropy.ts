import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { binaryCrossentropy } from '../losses/binary-crossentropy.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean crossentropy of targets 0..1 and one prediction each. */
export class BinaryCrossentropy extends builtInMetric(
  'BinaryCrossentropy',
  'binary_crossentropy',
  { fromLogits: boolean(false), labelSmoothing: number({ default: 0, min: 0, max: 1 }) },
  MeanOf,
) {
  override readonly direction = 'down'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return binaryCrossentropy(yTrue, yPred, this.config)
  }
}
registerObject('keras.metrics', BinaryCrossentropy, 'binary_crossentropy', 'bce', 'BCE')
