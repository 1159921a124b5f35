import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import type { Step, Update } from './base.ts'
import { builtInOptimizer } from './built-in.ts'

/**
 * Gradient descent with the gradient divided by the root of its mean square: `v = rho * v + (1 - rho) * g^2`,
 * `w -= learningRate * g / sqrt(v + epsilon)`. `centered` subtracts the square of the mean gradient; `momentum` adds up
 * the steps.
 */
export class RMSprop extends builtInOptimizer('RMSprop', 'rm_sprop', 0.001, {
  rho: number({ default: 0.9 }),
  momentum: number({ default: 0, min: 0 }),
  epsilon: number({ default: 1e-7 }),
  centered: boolean(false),
}) {
  #velocities = new Map<Variable, Variable>()
  #momentums = new Map<Variable, Variable>()
  #averages = new Map<Variable, Variable>()

  protected override createSlots(trained: readonly Variable[]): void {
    this.#velocities = this.addSlots(trained, 'velocity')
    if (this.config.momentum > 0) this.#momentums = this.addSlots(trained, 'momentum')
    if (this.config.centered) this.#averages = this.addSlots(trained, 'average_gradient')
  }

  protected override updater({ learningRate }: Step): Update {
    const { rho, momentum, epsilon } = this.config
    return (gradient, variable) => {
      const velocity = this.#velocities.get(variable) as Variable
      velocity.assign(ops.add(ops.multiply(velocity, rho), ops.multiply(ops.square(gradient), 1 - rho)))
      let spread = ops.add(velocity, epsilon)
      const average = this.#averages.get(variable)
      if (average) {
        average.assign(ops.add(ops.multiply(average, rho), ops.multiply(gradient, 1 - rho)))
        spread = ops.add(ops.subtract(velocity, ops.square(average)), epsilon)
      }
      const increment = ops.divide(ops.multiply(gradient, learningRate), ops.sqrt(spread))
      const m = this.#momentums.get(variable)
      m?.assign(ops.add(ops.multiply(m, momentum), increment))
      variable.assign(ops.subtract(variable, m ?? increment))
    }
  }
}
registerObject('keras.optimizers', RMSprop, 'rmsprop')
