import { activationField } from '../activations/activation.ts'
import { boolean, integer } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { kernelFields } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

/**
 * `activation(x · kernel + bias)` over the last axis: `[..., inputs]` to `[..., units]`.
 *
 * `kernel` is `[inputs, units]`, `bias` is `[units]`.
 */
export class Dense extends configured(
  'Dense',
  { units: integer({ min: 1 }), activation: activationField('linear'), useBias: boolean(true), ...kernelFields },
  { quantization_config: null },
) {
  declare kernel: Variable
  declare bias: Variable | undefined
  override supportsMasking = true
  override inputSpec: InputSpec | undefined = { minRank: 2 }

  override build(inputShape: Shape): void {
    const { units, useBias, kernelInitializer, kernelRegularizer, kernelConstraint } = this.config
    const inputs = knownExtent(inputShape, -1)
    this.inputSpec = { minRank: 2, axes: { [-1]: inputs } }
    this.kernel = this.addWeight({
      name: 'kernel',
      shape: [inputs, units],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    if (!useBias) return
    const { biasInitializer: initializer, biasRegularizer: regularizer, biasConstraint: constraint } = this.config
    this.bias = this.addWeight({ name: 'bias', shape: [units], initializer, regularizer, constraint })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const product = ops.matmul(x, this.kernel)
    return this.config.activation(this.bias ? ops.add(product, this.bias) : product)
  }
}
