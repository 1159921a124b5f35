import { newless, type Newless } from '../core/callable.ts'
import { Adam as AdamClass } from './adam.ts'
import { AdamW as AdamWClass } from './adamw.ts'
import { RMSprop as RMSpropClass } from './rmsprop.ts'
import { SGD as SGDClass } from './sgd.ts'

export const Adam: Newless<typeof AdamClass> = newless(AdamClass)
export const AdamW: Newless<typeof AdamWClass> = newless(AdamWClass)
export const RMSprop: Newless<typeof RMSpropClass> = newless(RMSpropClass)
export const SGD: Newless<typeof SGDClass> = newless(SGDClass)
export { Optimizer, type Step, type Update } from './base.ts'
export { getOptimizer as get, type OptimizerInput } from './optimizer.ts'
export type { LearningRate } from './options.ts'
