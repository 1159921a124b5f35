import { integer } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { cosineSimilarity } from '../losses/cosine-similarity.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean cosine of the angle between target and prediction: 1 is best, unlike the loss. */
export class CosineSimilarity extends builtInMetric(
  'CosineSimilarity',
  'cosine_similarity',
  { axis: integer({ default: -1 }) },
  MeanOf,
) {
  override readonly direction = 'up'

  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return cosineSimilarity(yTrue, yPred, this.config.axis)
  }
}
registerObject('keras.metrics', CosineSimilarity, 'cosine_similarity')
