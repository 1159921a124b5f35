import { ShapeError } from '../core/errors.ts'
import { boolean, integer, number } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { formatShape, type Shape } from '../core/types.ts'
import { initializerField } from '../initializers/initializer.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { scaleFields } from './fields.ts'
import { knownExtent } from './known-extent.ts'
import type { CallContext } from './layer.ts'

/** Keras's `epsilon()`: what a masked mean divides by when no step counts. */
const leastWeight = 1e-7

/**
 * `gamma * (x - mean) / sqrt(variance + epsilon) + beta` for each extent of `axis` (-1).
 *
 * In training, mean and (biased) variance are those of the batch, and the moving statistics move towards them by
 * `1 - momentum`; else, and when the layer is not trainable, they are the moving statistics. Steps that a mask leaves
 * out do not count. A batch without rows leaves the moving statistics as they are, where Keras makes them NaN.
 */
export class BatchNormalization extends configured(
  'BatchNormalization',
  {
    axis: integer({ default: -1 }),
    momentum: number({ default: 0.99 }),
    epsilon: number({ default: 1e-3, min: 0 }),
    center: boolean(true),
    scale: boolean(true),
    ...scaleFields,
    movingMeanInitializer: initializerField('zeros'),
    movingVarianceInitializer: initializerField('ones'),
  },
  { synchronized: false, renorm: false, renorm_clipping: null, renorm_momentum: 0.99 },
) {
  declare gamma: Variable | undefined
  declare beta: Variable | undefined
  declare movingMean: Variable
  declare movingVariance: Variable
  override supportsMasking = true
  override inputSpec = {}

  override build(inputShape: Shape): void {
    const { axis, scale, center } = this.config
    if (axis < -inputShape.length || axis >= inputShape.length) {
      throw new ShapeError(`expected an input with axis ${axis}, received ${formatShape(inputShape)}`)
    }
    const extent = knownExtent(inputShape, axis)
    this.inputSpec = { rank: inputShape.length, axes: { [axis]: extent } }
    const shape = [extent]
    if (scale) {
      const { gammaInitializer: initializer, gammaRegularizer: regularizer, gammaConstraint: constraint } = this.config
      this.gamma = this.addWeight({ name: 'gamma', shape, initializer, regularizer, constraint })
    }
    if (center) {
      const { betaInitializer: initializer, betaRegularizer: regularizer, betaConstraint: constraint } = this.config
      this.beta = this.addWeight({ name: 'beta', shape, initializer, regularizer, constraint })
    }
    const { movingMeanInitializer, movingVarianceInitializer } = this.config
    this.movingMean = this.addWeight({ name: 'moving_mean', shape, initializer: movingMeanInitializer, trainable: false })
    this.movingVariance = this.addWeight({ name: 'moving_variance', shape, initializer: movingVarianceInitializer, trainable: false })
  }

  override call(x: SymbolicTensor, context: CallContext): SymbolicTensor {
    const { axis, epsilon } = this.config
    const gamma = this.gamma ?? ops.onesLike(this.movingMean)
    const beta = this.beta ?? ops.zerosLike(this.movingMean)
    const options = { axis, epsilon }
    if (!context.training || !this.trainable) {
      return ops.batchNormInference(x, { gamma, beta, mean: this.movingMean, variance: this.movingVariance }, options)
    }
    if (context.mask) return this.#masked(x, context.mask as SymbolicTensor, gamma, beta)
    const [y, mean, variance] = ops.batchNormTraining(x, gamma, beta, options)
    this.#move(x, mean, variance)
    return y
  }

  /** Mean and variance of the steps that count; composed, so that gradients flow through both. */
  #masked(x: SymbolicTensor, mask: SymbolicTensor, gamma: ops.Operand, beta: ops.Operand): SymbolicTensor {
    if (mask.rank !== x.rank - 1) {
      throw new ShapeError(`expected a mask of rank ${x.rank - 1}, received ${formatShape(mask.shape)}`)
    }
    const axis = this.config.axis < 0 ? this.config.axis + x.rank : this.config.axis
    const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]))
    const over = { axis: others, keepdims: true }
    const counts = ops.logicalAnd(ops.expandDims(mask, -1), ops.onesLike(x, 'bool'))
    const weight = ops.add(ops.sum(ops.cast(counts, 'float32'), over), leastWeight)
    const mean = ops.divide(ops.sum(ops.where(counts, x, 0), over), weight)
    const centered = ops.subtract(x, mean)
    const variance = ops.divide(ops.sum(ops.square(ops.where(counts, centered, 0)), over), weight)
    const extent = knownExtent(x.shape, axis)
    this.#move(x, ops.reshape(mean, [extent]), ops.reshape(variance, [extent]))
    const place = x.shape.map((_, i) => (i === axis ? extent : 1))
    const factor = ops.multiply(ops.rsqrt(ops.add(variance, this.config.epsilon)), ops.reshape(gamma, place))
    return ops.add(ops.multiply(centered, factor), ops.reshape(beta, place))
  }

  #move(x: SymbolicTensor, mean: SymbolicTensor, variance: SymbolicTensor): void {
    const axis = this.config.axis < 0 ? this.config.axis + x.rank : this.config.axis
    const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]))
    const certain = others.every((i) => (x.shape[i] ?? 0) > 0)
    const some = certain ? undefined : ops.greater(ops.size(x, { axis: others }), 0)
    for (const [average, batch] of [[this.movingMean, mean], [this.movingVariance, variance]] as const) {
      const next = ops.add(ops.multiply(average, this.config.momentum), ops.multiply(batch, 1 - this.config.momentum))
      average.assign(some ? ops.where(some, next, average) : next)
    }
  }
}
