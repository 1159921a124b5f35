import { registerObject } from '../core/serializable.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { klDivergence } from '../losses/kl-divergence.ts'
import { builtInMetric } from './built-in.ts'
import { MeanOf } from './mean-of.ts'

/** The mean Kullback-Leibler divergence of distributions over the last axis. */
export class KLDivergence extends builtInMetric('KLDivergence', 'kl_divergence', {}, MeanOf) {
  protected override values(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return klDivergence(yTrue, yPred)
  }
}
registerObject('keras.metrics', KLDivergence, 'kl_divergence')
