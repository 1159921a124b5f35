import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import type { Step, Update } from './base.ts'
import { builtInOptimizer } from './built-in.ts'

/**
 * Gradient descent: `w -= learningRate * g` (0.01). With `momentum` (default 0) `m = momentum * m - learningRate * g` is
 * added instead, or with `nesterov` the same once more ahead: `momentum * m - learningRate * g`.
 */
export class SGD extends builtInOptimizer('SGD', 'sgd', 0.01, {
  momentum: number({ default: 0, min: 0, max: 1 }),
  nesterov: boolean(false),
}) {
  #momentums = new Map<Variable, Variable>()

  protected override createSlots(trained: readonly Variable[]): void {
    if (this.config.momentum !== 0) this.#momentums = this.addSlots(trained, 'momentum')
  }

  protected override updater({ learningRate }: Step): Update {
    const { momentum, nesterov } = this.config
    return (gradient, variable) => {
      const down = ops.multiply(gradient, learningRate)
      const m = this.#momentums.get(variable)
      if (!m) {
        variable.assign(ops.subtract(variable, down))
        return
      }
      m.assign(ops.subtract(ops.multiply(m, momentum), down))
      variable.assign(ops.add(variable, nesterov ? ops.subtract(ops.multiply(m, momentum), down) : m))
    }
  }
}
registerObject('keras.optimizers', SGD, 'sgd')
