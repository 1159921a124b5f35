/**
 * The Keras Functional API for Node.js on a Rust core.
 *
 * @packageDocumentation
 */
export * as activations from './activations/index.ts'
export * as callbacks from './training/callbacks/index.ts'
export * as constraints from './constraints/index.ts'
export * as initializers from './initializers/index.ts'
export * as layers from './layers/index.ts'
export * as losses from './losses/index.ts'
export * as metrics from './metrics/index.ts'
export * as ops from './ops/index.ts'
export * as optimizers from './optimizers/index.ts'
export * as regularizers from './regularizers/index.ts'
export * as schedules from './schedules/index.ts'
export * from './core/errors.ts'
export { clearSession } from './core/names.ts'
export { registerSerializable } from './core/registry.ts'
export { setRandomSeed } from './core/seed.ts'
export { SymbolicTensor } from './core/symbolic.ts'
export type { Structure } from './core/tree.ts'
export type { DType, Shape, TypedArray } from './core/types.ts'
export { Input } from './layers/input-layer.ts'
export { Layer, type CallContext, type CallOptions, type InputSpec, type LayerConfig, type WeightOptions } from './layers/layer.ts'
export * from './models/index.ts'
export { setMemoryLimit, setThreads, settings, type Settings } from './native/settings.ts'
export { tensor, zeros, Tensor, type NestedArray, type TensorLike } from './native/tensor.ts'
export { Variable } from './native/variable.ts'
