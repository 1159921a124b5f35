import { activationField } from '../activations/activation.ts'
import { ConfigError, ShapeError } from '../core/errors.ts'
import { boolean, integer, pair } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured, type LayerArguments } from './configured.ts'
import { dataFormatField, kernelFields, paddingField } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

const schema = {
  filters: integer({ min: 1 }),
  kernelSize: pair(),
  strides: pair({ default: 1 }),
  padding: paddingField(),
  dataFormat: dataFormatField(),
  dilationRate: pair({ default: 1 }),
  groups: integer({ default: 1, min: 1 }),
  activation: activationField('linear'),
  useBias: boolean(true),
  ...kernelFields,
} as const

/**
 * Cross-correlation of images with learned kernels: `[N, H, W, C]` to `[N, H', W', filters]`.
 *
 * `kernel` is `[height, width, C / groups, filters]`, `bias` is `[filters]`. With padding `'same'` the result has
 * `ceil(extent / stride)` cells, and an odd cell of padding goes to the bottom and the right.
 */
export class Conv2D extends configured('Conv2D', schema) {
  declare kernel: Variable
  declare bias: Variable | undefined
  override inputSpec: InputSpec | undefined = { rank: 4 }

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    const { strides, dilationRate, filters, groups } = this.config
    checkStrides(`Conv2D '${this.name}'`, strides, dilationRate)
    if (filters % groups !== 0) {
      throw new ConfigError(`Conv2D '${this.name}': 'filters' must be a multiple of 'groups' (${groups}). Received: ${filters}`)
    }
  }

  override build(inputShape: Shape): void {
    const { filters, kernelSize, groups, useBias } = this.config
    const channels = knownExtent(inputShape, -1)
    if (channels % groups !== 0) {
      throw new ShapeError(`expected channels that ${groups} groups share evenly, received ${formatShape(inputShape)}`)
    }
    this.inputSpec = { rank: 4, axes: { [-1]: channels } }
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.config
    this.kernel = this.addWeight({
      name: 'kernel',
      shape: [...kernelSize, channels / groups, filters],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    if (!useBias) return
    const { biasInitializer: initializer, biasRegularizer: regularizer, biasConstraint: constraint } = this.config
    this.bias = this.addWeight({ name: 'bias', shape: [filters], initializer, regularizer, constraint })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { strides, padding, dilationRate: dilation, groups, activation } = this.config
    const result = ops.conv2d(x, this.kernel, { strides, padding, dilation, groups })
    return activation(this.bias ? ops.add(result, this.bias) : result)
  }
}

/** @throws ConfigError when windows both skip cells and have holes. */
export function checkStrides(owner: string, strides: readonly number[], dilation: readonly number[]): void {
  if (Math.max(...strides) > 1 && Math.max(...dilation) > 1) {
    throw new ConfigError(
      `${owner}: 'strides' above 1 and 'dilationRate' above 1 cannot be combined. Received: ${formatShape(strides)} and ${formatShape(dilation)}`,
    )
  }
}
