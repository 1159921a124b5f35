import { newless, type Newless } from '../core/callable.ts'
import { registerBuiltIn } from '../core/registry.ts'
import { Model as ModelClass } from './model.ts'
import { Sequential as SequentialClass } from './sequential.ts'

for (const module of ['keras.src.models.functional', 'keras'] as const) {
  registerBuiltIn(module, ModelClass as unknown as { className: string; fromConfig(config: Record<string, unknown>): unknown }, 'Functional', 'Model')
}
registerBuiltIn('keras', SequentialClass as unknown as { className: string; fromConfig(config: Record<string, unknown>): unknown }, 'Sequential')

/**
 * A model: a layer that can be trained, evaluated, summarized and saved. To be called with or without `new`, and to be
 * extended.
 *
 * `Model({ inputs, outputs })` makes a functional one from symbolic tensors. A class that extends it makes layers in its
 * constructor and computes in `call`.
 *
 * @class
 */
export const Model: Newless<typeof ModelClass> = newless(ModelClass)
export type Model = ModelClass

/**
 * A model that is a plain stack of layers, each with one input and one output. To be called with or without `new`.
 *
 * @class
 */
export const Sequential: Newless<typeof SequentialClass> = newless(SequentialClass)
export type Sequential = SequentialClass

export { cloneModel } from './clone-model.ts'
export { loadModel, modelFromJSON, type LoadModelOptions } from './load-model.ts'
export type { FunctionalConfig } from './model.ts'
export type { SequentialConfig, SequentialItem } from './sequential.ts'
