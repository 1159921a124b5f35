import { declaredLeaves, flatten, mapStructure, packLike, type Structure } from '../core/tree.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import type { DType, Shape } from '../core/types.ts'
import { Trace } from '../native/trace.ts'
import { Place } from './data/arrange.ts'
import type { InputDescription, Trainable } from './trainable.ts'

/** One output of a model. A class, so that structures take it as a leaf. */
export class Output {
  /** The key in an object of outputs, else the name of the layer that made it. */
  readonly name: string
  readonly shape: Shape

  constructor(name: string, shape: Shape) {
    this.name = name
    this.shape = shape
  }
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

/** One input of a model, as a program is traced for it. */
export class InputPlace extends Place {
  /** Extents, batch first. */
  readonly shape: Shape
  readonly dtype: DType

  constructor(name: string, shape: Shape, dtype: DType) {
    super(name)
    this.shape = shape
    this.dtype = dtype
  }
}

const known = new WeakMap<object, Structure<InputPlace>>()

/** The inputs of a model in their structure; `undefined` where it takes whatever it is called on. */
export function inputPlaces(model: Trainable): Structure<InputPlace> | undefined {
  const described = model.inputDescriptions
  if (!described) return undefined
  const found = known.get(described) ?? places(described)
  known.set(described, found)
  return found
}

function places(described: Structure<InputDescription>): Structure<InputPlace> {
  if (Array.isArray(described)) return described.map(places)
  const { name, shape, dtype } = described as InputDescription
  if (typeof name === 'string' && Array.isArray(shape) && typeof dtype === 'string')
    return new InputPlace(name, shape, dtype)
  return Object.fromEntries(
    Object.entries(described).map(([key, part]) => [key, places(part as Structure<InputDescription>)]),
  )
}

/** Adds the inputs to a trace and calls the model on them. */
export function traceModel(
  trace: Trace,
  model: Trainable,
  inputs: Structure<InputPlace>,
): { inputs: SymbolicTensor[]; outputs: Structure<SymbolicTensor> } {
  const structure = mapStructure(inputs, ({ shape, dtype, name }) => trace.input(shape, dtype, name))
  return { inputs: flatten(structure), outputs: model.invoke([structure], {}) }
}

/** Names and shapes of what the model returns for inputs of these shapes. Builds a model that was not built yet. */
export function describeOutputs(model: Trainable, inputs: Structure<InputPlace>): Outputs {
  const trace = new Trace(model.name)
  return trace.within(() => {
    const { outputs } = traceModel(trace, model, inputs)
    const names = flatten(model.outputNames(outputs))
    const flat = flatten(outputs).map(({ shape }, i) => new Output(names[i] as string, shape))
    const structure = packLike(outputs, flat) as Structure<Output>
    return { structure, flat, declared: declaredLeaves(structure).map(({ leaf }) => leaf) }
  })
}
