import type { SymbolicTensor } from '../core/symbolic.ts'

/** A penalty on a weight or a result, added to the loss in training and in evaluation. */
export abstract class Regularizer {
  /** The penalty, a scalar, written in ops. */
  abstract penalty(x: SymbolicTensor): SymbolicTensor
}
