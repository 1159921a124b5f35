import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { DType, Shape } from '../core/types.ts'
import type { Variable } from '../native/variable.ts'

/** What a model expects of one input. */
export interface InputDescription {
  readonly name: string
  /** Extents, batch first. */
  readonly shape: Shape
  readonly dtype: DType
}

/** All that training, evaluation and prediction know of a model. */
export interface Trainable {
  readonly name: string
  /**
   * The inputs in the structure in which the model takes them, the same object while the model takes the same;
   * `undefined` while a subclassed model was never called.
   */
  readonly inputDescriptions: Structure<InputDescription> | undefined
  /** Names for the results, in their structure: the keys of an object, else the names of the layers that made them. */
  outputNames(outputs: Structure<SymbolicTensor>): Structure<string>
  /** Traces one call of the model. */
  invoke(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Structure<SymbolicTensor>
  /** Variables that the optimizer changes. */
  readonly trainableWeights: Variable[]
  /** All weights. */
  readonly weights: Variable[]
  /** Number of elements of all weights; throws before the model is built. */
  countParams(): number
}
