import { StateError } from '../../core/errors.ts'
import type { Optimizer } from '../../optimizers/optimizer.ts'
import type { Trainer } from '../trainer.ts'

/** The optimizer of a model that was compiled. */
export function requireOptimizer({ optimizer, model }: Trainer): Optimizer {
  if (optimizer) return optimizer
  throw new StateError(`'${model.name}': expected a compiled model`)
}
