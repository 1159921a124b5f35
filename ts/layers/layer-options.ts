import type { ConstraintInput } from '../constraints/constraint.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { DType, Shape } from '../core/types.ts'
import type { InitializerInput } from '../initializers/initializer.ts'
import type { RegularizerInput } from '../regularizers/regularizer.ts'

/** Options that every layer takes. */
export interface LayerConfig {
  /** The name, unique within a model. Default: the class's name in snake case, numbered. */
  readonly name?: string | undefined
  /** Whether training changes the weights. Default `true`. */
  readonly trainable?: boolean | undefined
  /** Type of weights and results; only `'float32'` so far, which is the default. */
  readonly dtype?: unknown
  /** A penalty on the result, divided by the number of rows and added to the loss. Default: none. */
  readonly activityRegularizer?: RegularizerInput | null | undefined
}

/** The names of {@link LayerConfig}. */
export const layerOptions: readonly string[] = ['name', 'trainable', 'dtype', 'activityRegularizer']

/** What a caller may pass beside the inputs. */
export interface CallOptions {
  /** Behave as in training. Default: as the surrounding call does; `fit` says yes, everything else no. */
  readonly training?: boolean | undefined
  /** bool `[batch, steps]`: which steps count. Default: the mask that comes with the inputs. */
  readonly mask?: unknown
  readonly [option: string]: unknown
}

/** A mask for each input, in the structure of the inputs; `undefined` where there is none. */
export type Masks = Structure<SymbolicTensor | undefined>

/** What `call` gets beside the inputs. */
export interface CallContext {
  /** Behave as in training. */
  readonly training: boolean
  /** The masks of the inputs. */
  readonly mask: Masks
  readonly [option: string]: unknown
}

/** What a layer demands of its input. */
export interface InputSpec {
  /** The exact rank. */
  readonly rank?: number
  /** The least rank. */
  readonly minRank?: number
  /** Extents that must be these, by axis; negative axes count from the end. */
  readonly axes?: Readonly<Record<number, number>>
}

/** Options of `addWeight`. */
export interface WeightOptions {
  /** The name within the layer, such as `kernel`. */
  readonly name: string
  /** Extents, all known. */
  readonly shape: Shape
  /** Default: `'glorot_uniform'` for float32, zeros for other types. */
  readonly initializer?: InitializerInput
  /** Default `'float32'`. */
  readonly dtype?: DType
  /** Whether training changes it. Default `true`. */
  readonly trainable?: boolean
  /** A penalty on the value, added to the loss. */
  readonly regularizer?: RegularizerInput | null
  /** Applied to the value after each optimizer step. */
  readonly constraint?: ConstraintInput | null
}
