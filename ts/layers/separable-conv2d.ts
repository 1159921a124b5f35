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
  filters: integer({ min: 1 }),
  kernelSize: pair(),
  strides: pair({ default: 1 }),
  padding: paddingField(),
  dataFormat: dataFormatField(),
  dilationRate: pair({ default: 1 }),
  depthMultiplier: integer({ default: 1, min: 1 }),
  activation: activationField('linear'),
  useBias: boolean(true),
  depthwiseInitializer: initializerField('glorot_uniform'),
  pointwiseInitializer: initializerField('glorot_uniform'),
  biasInitializer: initializerField('zeros'),
  depthwiseRegularizer: regularizerField(),
  pointwiseRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
  depthwiseConstraint: constraintField(),
  pointwiseConstraint: constraintField(),
  biasConstraint: constraintField(),
} as const

/**
 * A convolution of each channel on its own, then a 1 x 1 convolution that mixes them: `[N, H, W, C]` to
 * `[N, H', W', filters]`. Strides and dilation belong to the first; there is no activation between the two.
 */
export class SeparableConv2D extends configured('SeparableConv2D', schema) {
  declare depthwiseKernel: Variable
  declare pointwiseKernel: Variable
  declare bias: Variable | undefined
  override inputSpec: InputSpec | undefined = { rank: 4 }

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    checkStrides(`SeparableConv2D '${this.name}'`, this.config.strides, this.config.dilationRate)
  }

  override build(inputShape: Shape): void {
    const { kernelSize, depthMultiplier, filters, useBias } = this.config
    const channels = knownExtent(inputShape, -1)
    this.inputSpec = { rank: 4, axes: { [-1]: channels } }
    this.depthwiseKernel = this.addWeight({
      name: 'depthwise_kernel',
      shape: [...kernelSize, channels, depthMultiplier],
      initializer: this.config.depthwiseInitializer,
      regularizer: this.config.depthwiseRegularizer,
      constraint: this.config.depthwiseConstraint,
    })
    this.pointwiseKernel = this.addWeight({
      name: 'pointwise_kernel',
      shape: [1, 1, channels * depthMultiplier, filters],
      initializer: this.config.pointwiseInitializer,
      regularizer: this.config.pointwiseRegularizer,
      constraint: this.config.pointwiseConstraint,
    })
    if (!useBias) return
    const { biasInitializer: initializer, biasRegularizer: regularizer, biasConstraint: constraint } = this.config
    this.bias = this.addWeight({ name: 'bias', shape: [filters], initializer, regularizer, constraint })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { strides, padding, dilationRate: dilation, activation } = this.config
    const each = ops.depthwiseConv2d(x, this.depthwiseKernel, { strides, padding, dilation })
    const mixed = ops.conv2d(each, this.pointwiseKernel)
    return activation(this.bias ? ops.add(mixed, this.bias) : mixed)
  }
}
