/** The type of a tensor's elements. */
export type DType = 'float32' | 'int32' | 'bool' | 'uint8'

/** Every element type, in the order in which promotion prefers the later. */
export const dtypes: readonly DType[] = ['bool', 'uint8', 'int32', 'float32']

/** Extents, outermost first. `null` is an extent that is not known yet. */
export type Shape = readonly (number | null)[]

/** The array that holds elements of each type. `bool` elements are 0 or 1. */
export type TypedArray = Float32Array | Int32Array | Uint8Array

/** Writes a shape as messages do: `[null, 28, 28]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.map(String).join(', ')}]`
}
