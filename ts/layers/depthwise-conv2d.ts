import { activationField } from '../activations/activation.ts'
import { constraintField } from '../constraints/constraint.ts'
import { boolean, integer, pair } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Shape } from '../core/types.ts'
import { initializerField } from '../initializers/initializer.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { regularizerField } from '../regularizers/regularizer.ts'
import { configured, type LayerArguments } from './configured.ts'
import { checkStrides } from './conv2d.ts'
import { dataFormatField, paddingField } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

const schema = {
  kernelSize: pair(),
  strides: pair({ default: 1 }),
  padding: paddingField(),
  depthMultiplier: integer({ default: 1, min: 1 }),
  dataFormat: dataFormatField(),
  dilationRate: pair({ default: 1 }),
  activation: activationField('linear'),
  useBias: boolean(true),
  depthwiseInitializer: initializerField('glorot_uniform'),
  biasInitializer: initializerField('zeros'),
  depthwiseRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
  depthwiseConstraint: constraintField(),
  biasConstraint: constraintField(),
} as const

/**
 * Convolution of each channel on its own: `[N, H, W, C]` to `[N, H', W', C * depthMultiplier]`.
 *
 * `kernel` is `[height, width, C, depthMultiplier]`, `bias` is `[C * depthMultiplier]`.
 */
export class DepthwiseConv2D extends configured('DepthwiseConv2D', schema) {
  declare kernel: Variable
  declare bias: Variable | undefined
  override inputSpec: InputSpec | undefined = { rank: 4 }

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    checkStrides(`DepthwiseConv2D '${this.name}'`, this.config.strides, this.config.dilationRate)
  }

  override build(inputShape: Shape): void {
    const { kernelSize, depthMultiplier, useBias } = this.config
    const channels = knownExtent(inputShape, -1)
    this.inputSpec = { rank: 4, axes: { [-1]: channels } }
    const { depthwiseInitializer, depthwiseRegularizer, depthwiseConstraint } = this.config
    this.kernel = this.addWeight({
      name: 'kernel',
      shape: [...kernelSize, channels, depthMultiplier],
      initializer: depthwiseInitializer,
      regularizer: depthwiseRegularizer,
      constraint: depthwiseConstraint,
    })
    if (!useBias) return
    const { biasInitializer: initializer, biasRegularizer: regularizer, biasConstraint: constraint } = this.config
    this.bias = this.addWeight({ name: 'bias', shape: [channels * depthMultiplier], initializer, regularizer, constraint })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { strides, padding, dilationRate: dilation, activation } = this.config
    const result = ops.depthwiseConv2d(x, this.kernel, { strides, padding, dilation })
    return activation(this.bias ? ops.add(result, this.bias) : result)
  }
}
