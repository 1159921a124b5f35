import { ShapeError } from '../core/errors.ts'
import { boolean, number } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { axesField, scaleFields } from './fields.ts'
import { knownExtent } from './known-extent.ts'

/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta` with the mean and the (biased) variance of each row over `axis`
 * (-1), which may be several axes. `gamma` and `beta` have the extents of those axes.
 */
export class LayerNormalization extends configured(
  'LayerNormalization',
  { axis: axesField(-1), epsilon: number({ default: 1e-3, min: 0 }), center: boolean(true), scale: boolean(true), ...scaleFields },
  { rms_scaling: false },
) {
  declare gamma: Variable | undefined
  declare beta: Variable | undefined
  override supportsMasking = true
  override inputSpec = {}

  override build(inputShape: Shape): void {
    const axes = this.#axes(inputShape)
    const shape = axes.map((axis) => knownExtent(inputShape, axis))
    this.inputSpec = { rank: inputShape.length, axes: Object.fromEntries(axes.map((axis, i) => [axis, shape[i]])) }
    if (this.config.scale) {
      const { gammaInitializer: initializer, gammaRegularizer: regularizer, gammaConstraint: constraint } = this.config
      this.gamma = this.addWeight({ name: 'gamma', shape, initializer, regularizer, constraint })
    }
    if (this.config.center) {
      const { betaInitializer: initializer, betaRegularizer: regularizer, betaConstraint: constraint } = this.config
      this.beta = this.addWeight({ name: 'beta', shape, initializer, regularizer, constraint })
    }
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    const axes = this.#axes(x.shape)
    const place = x.shape.map((extent, axis) => (axes.includes(axis) ? (extent as number) : 1))
    const normal = axes.length === 1 && axes[0] === x.rank - 1 ? ops.standardize(x, this.config.epsilon) : this.#over(axes, x)
    const scaled = this.gamma ? ops.multiply(normal, ops.reshape(this.gamma, place)) : normal
    return this.beta ? ops.add(scaled, ops.reshape(this.beta, place)) : scaled
  }

  /** What {@link ops.standardize} does along the last axis, over any axes. */
  #over(axes: readonly number[], x: SymbolicTensor): SymbolicTensor {
    const over = { axis: axes, keepdims: true }
    const centered = ops.subtract(x, ops.mean(x, over))
    const variance = ops.mean(ops.square(centered), over)
    return ops.multiply(centered, ops.rsqrt(ops.add(variance, this.config.epsilon)))
  }

  /** The axes counted from the front, in order. */
  #axes(shape: Shape): number[] {
    const axes = [this.config.axis].flat().map((axis) => (axis < 0 ? axis + shape.length : axis))
    if (axes.some((axis) => axis < 0 || axis >= shape.length)) {
      throw new ShapeError(`expected an input with axes [${[this.config.axis].flat().join(', ')}], received ${formatShape(shape)}`)
    }
    return shape.flatMap((_, axis) => (axes.includes(axis) ? [axis] : []))
  }
}
