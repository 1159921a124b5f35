import type { SymbolicTensor } from '../core/symbolic.ts'

/** Which of three forms targets and predictions have, by Keras's rule for `'accuracy'` and `'crossentropy'`. */
export function targetForm(yTrue: SymbolicTensor, yPred: SymbolicTensor): 'binary' | 'sparse' | 'categorical' {
  const last = yPred.shape.at(-1)
  if (last === 1) return 'binary'
  const trailing = yTrue.shape.at(-1) === 1 && typeof last === 'number' && last > 1
  return yTrue.rank < yPred.rank || trailing ? 'sparse' : 'categorical'
}
