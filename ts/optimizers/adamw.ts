import { boolean, number } from '../core/schema.ts'
import { registerObject } from '../core/serializable.ts'
import type { Variable } from '../native/variable.ts'
import { adamUpdate, type AdamSlots } from './adam-update.ts'
import type { Step, Update } from './base.ts'
import { builtInOptimizer } from './built-in.ts'

/**
 * Adam with decoupled weight decay: before each step weights shrink by `weightDecay` (0.004) times the learning rate. The
 * other options are Adam's.
 */
export class AdamW extends builtInOptimizer('AdamW', 'adam_w', 0.001, {
  weightDecay: number({ default: 0.004 }),
  beta1: number({ default: 0.9, kerasKey: 'beta_1' }),
  beta2: number({ default: 0.999, kerasKey: 'beta_2' }),
  epsilon: number({ default: 1e-7 }),
  amsgrad: boolean(false),
}) {
  #state: AdamSlots = { momentums: new Map(), velocities: new Map(), largest: new Map() }

  protected override createSlots(trained: readonly Variable[]): void {
    const [momentums, velocities] = this.addSlots(trained, ['momentum', 'velocity'])
    const largest = this.config.amsgrad ? this.addSlots(trained, 'velocity_hat') : new Map<Variable, Variable>()
    this.#state = {
      momentums: momentums as Map<Variable, Variable>,
      velocities: velocities as Map<Variable, Variable>,
      largest,
    }
  }

  protected override updater(step: Step): Update {
    return adamUpdate(step, this.config, this.#state)
  }
}
registerObject('keras.optimizers', AdamW, 'adamw')
