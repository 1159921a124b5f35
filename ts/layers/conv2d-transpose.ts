import { activationField } from '../activations/activation.ts'
import { boolean, field, integer, pair } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured, type LayerArguments } from './configured.ts'
import { checkStrides } from './conv2d.ts'
import { dataFormatField, kernelFields, paddingField } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { InputSpec } from './layer.ts'

const schema = {
  filters: integer({ min: 1 }),
  kernelSize: pair(),
  strides: pair({ default: 1 }),
  padding: paddingField(),
  outputPadding: field<null, null>({
    default: null,
    wanted: 'null: the extents of the result follow from those of the input',
    parse: (value) => (value === null ? null : undefined),
    serialize: (value) => value,
  }),
  dataFormat: dataFormatField(),
  dilationRate: pair({ default: 1 }),
  activation: activationField('linear'),
  useBias: boolean(true),
  ...kernelFields,
} as const

/**
 * The transpose of {@link Conv2D}, which makes images larger: `[N, H, W, C]` to `[N, H', W', filters]`.
 *
 * `kernel` is `[height, width, filters, C]`, `bias` is `[filters]`. With padding `'valid'` an extent `n` becomes
 * `(n - 1) * stride + max(kernel, stride)`, with `'same'` it becomes `n * stride`. Height and width must be known.
 */
export class Conv2DTranspose extends configured('Conv2DTranspose', schema) {
  declare kernel: Variable
  declare bias: Variable | undefined
  override inputSpec: InputSpec | undefined = { rank: 4 }

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    checkStrides(`Conv2DTranspose '${this.name}'`, this.config.strides, this.config.dilationRate)
  }

  override build(inputShape: Shape): void {
    const { filters, kernelSize, useBias } = this.config
    const channels = knownExtent(inputShape, -1)
    this.inputSpec = { rank: 4, axes: { [-1]: channels } }
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.config
    this.kernel = this.addWeight({
      name: 'kernel',
      shape: [...kernelSize, filters, channels],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    if (!useBias) return
    const { biasInitializer: initializer, biasRegularizer: regularizer, biasConstraint: constraint } = this.config
    this.bias = this.addWeight({ name: 'bias', shape: [filters], initializer, regularizer, constraint })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const { filters, kernelSize, strides, padding, dilationRate: dilation, activation } = this.config
    const along = (axis: 0 | 1): Enlarged =>
      enlarge(knownExtent(x.shape, axis + 1), (kernelSize[axis] - 1) * dilation[axis] + 1, strides[axis], padding)
    const [height, width] = [along(0), along(1)]
    const result = ops.conv2dTranspose(x, this.kernel, {
      outputShape: [height.extent, width.extent, filters],
      strides,
      padding: [height.cut, width.cut],
      dilation,
    })
    return activation(this.bias ? ops.add(result, this.bias) : result)
  }
}

/** What becomes of one extent, and how much of the full result is cut off before and after. */
interface Enlarged {
  readonly extent: number
  readonly cut: readonly [number, number]
}

function enlarge(n: number, kernel: number, stride: number, padding: 'valid' | 'same'): Enlarged {
  if (padding === 'valid') return { extent: (n - 1) * stride + Math.max(kernel, stride), cut: [0, 0] }
  // Keras cuts so that the transposed layer undoes a forward one with 'same' padding.
  const before = kernel - 1 - Math.min(Math.ceil((stride + kernel - 2) / 2), kernel - 1)
  return { extent: n * stride, cut: [before, Math.max(0, kernel - stride - before)] }
}
