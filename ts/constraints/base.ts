import type { SymbolicTensor } from '../core/symbolic.ts'

/** Keeps a weight within limits: applied after each step of the optimizer. */
export abstract class Constraint {
  /** The nearest allowed value, of the same shape, written in ops. */
  abstract apply(w: SymbolicTensor): SymbolicTensor
}
