import type { DType } from '../core/types.ts'
import type { Tensor } from '../native/tensor.ts'

/** Makes the first value of a weight. One instance gives the same values for the same shape every time. */
export abstract class Initializer {
  /**
   * @param shape Extents of the weight.
   * @param dtype Its element type.
   */
  abstract make(shape: readonly number[], dtype: DType): Tensor
}
