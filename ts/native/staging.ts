import type { DType, TypedArray } from '../core/types.ts'
import type { NativeProgram, Stage } from './addon.ts'
import { Tensor } from './tensor.ts'

const views = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array }

/**
 * Memory through which the small operands of a program cross to the core and back, for one number of rows. To hand over
 * an array of each operand takes longer than to copy what is in it.
 */
export class Staging {
  readonly rows: number
  readonly #native: NativeProgram
  readonly #memory: Uint8Array
  readonly #inputs: readonly TypedArray[]
  readonly #outputs: readonly TypedArray[]
  readonly #types: readonly DType[]
  readonly #shapes: readonly (readonly number[])[]

  constructor(native: NativeProgram, rows: number, stage: Stage, inputTypes: readonly DType[], outputTypes: readonly DType[]) {
    const memory = new ArrayBuffer(stage.bytes)
    const size = (shape: readonly number[]): number => shape.reduce((n, extent) => n * extent, 1)
    this.rows = rows
    this.#native = native
    this.#memory = new Uint8Array(memory)
    // Inputs are as long as they are; what a view has beyond that is not touched.
    this.#inputs = inputTypes.map((dtype, i) => new views[dtype](memory, stage.inputs[i]))
    this.#types = outputTypes
    this.#shapes = stage.shapes.map((shape) => Object.freeze(shape))
    this.#outputs = stage.shapes.map((shape, i) => new views[outputTypes[i] as DType](memory, stage.outputs[i], size(shape)))
  }

  /** Runs on inputs of the shapes that the program expects. */
  run(inputs: readonly TypedArray[]): Tensor[] {
    for (let i = 0; i < inputs.length; i++) this.#inputs[i]!.set(inputs[i] as TypedArray)
    this.#native.runStaged(this.rows, this.#memory)
    const outputs: Tensor[] = []
    for (let i = 0; i < this.#outputs.length; i++) {
      outputs.push(new Tensor(this.#outputs[i]!.slice(), this.#shapes[i]!, this.#types[i]!))
    }
    return outputs
  }
}
