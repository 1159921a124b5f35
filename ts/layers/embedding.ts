import { constraintField } from '../constraints/constraint.ts'
import { boolean, field, integer } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { initializerField } from '../initializers/initializer.ts'
import type { TensorLike } from '../native/tensor.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured } from './configured.ts'
import type { Masks } from './layer.ts'

/**
 * A learned vector for each whole number: `[batch, ...]` to `[batch, ..., outputDim]`.
 *
 * Numbers are 0 to `inputDim - 1`; another fails the run, where Keras returns NaN or a wrong row. Fractions are cut
 * off. With `maskZero` 0 means "nothing here": the result carries a mask. `weights` gives first values,
 * `[inputDim, outputDim]`, which files do not repeat.
 */
export class Embedding extends configured(
  'Embedding',
  {
    inputDim: integer({ min: 1 }),
    outputDim: integer({ min: 1 }),
    embeddingsInitializer: initializerField('uniform'),
    embeddingsRegularizer: regularizerField(),
    embeddingsConstraint: constraintField(),
    maskZero: boolean(false),
    weights: field<TensorLike | null, TensorLike | null>({
      default: null,
      wanted: 'a tensor, nested arrays or null',
      parse: (value) => (value === null || typeof value === 'object' ? (value as TensorLike | null) : undefined),
      serialize: () => null,
    }),
  },
  { quantization_config: null },
) {
  declare embeddings: Variable
  override inputSpec = {}

  override build(): void {
    this.embeddings = this.addWeight({
      name: 'embeddings',
      shape: [this.config.inputDim, this.config.outputDim],
      initializer: this.config.embeddingsInitializer,
      regularizer: this.config.embeddingsRegularizer,
      constraint: this.config.embeddingsConstraint,
    })
    if (this.config.weights !== null) this.embeddings.assign(this.config.weights)
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.take(this.embeddings, ops.cast(x, 'int32'), 0)
  }

  override computeMask(x: SymbolicTensor): Masks {
    return this.config.maskZero ? ops.notEqual(x, 0) : undefined
  }
}
