import { declaredLeaves, flatten, mapStructure, packLike, type Structure } from '../core/tree.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { DType, Shape } from '../core/types.ts'
import { Trace } from '../native/trace.ts'
import type { InputDescription, Trainable } from './trainable.ts'

/** One output of a model. */
export interface Output {
  /** The key in an object of outputs, else the name of the layer that made it. */
  readonly name: string
  readonly shape: Shape
}

/** The outputs of a model. */
export interface Outputs {
  /** In their structure. */
  readonly structure: Structure<Output>
  /** In flat order: objects by sorted key. */
  readonly flat: readonly Output[]
  /** In the order in which they were written down. */
  readonly declared: readonly Output[]
}

/** What is known of inputs before a program is traced. */
export type InputShapes = Structure<{ readonly shape: Shape; readonly dtype: DType }>

/** Adds inputs of these shapes to a trace and calls the model on them. */
export function traceModel(trace: Trace, model: Trainable, inputs: InputShapes): { inputs: SymbolicTensor[]; outputs: Structure<SymbolicTensor> } {
  const structure = mapStructure(inputs, ({ shape, dtype, ...rest }: InputDescription | { shape: Shape; dtype: DType }) =>
    trace.input(shape, dtype, 'name' in rest ? (rest.name as string) : 'input'),
  ) as Structure<SymbolicTensor>
  return { inputs: flatten(structure), outputs: model.invoke([structure], {}) }
}

/** Names and shapes of what the model returns for inputs of these shapes. Builds a model that was not built yet. */
export function describeOutputs(model: Trainable, inputs: InputShapes): Outputs {
  const trace = new Trace(model.name)
  return trace.within(() => {
    const { outputs } = traceModel(trace, model, inputs)
    const names = flatten(model.outputNames(outputs))
    const flat = flatten(outputs).map(({ shape }, i): Output => ({ name: names[i] as string, shape }))
    const structure = packLike(outputs, flat) as Structure<Output>
    return { structure, flat, declared: declaredLeaves(structure).map(({ leaf }) => leaf) }
  })
}
