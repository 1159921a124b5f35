import { createRequire } from 'node:module'
import { InternalError } from '../core/errors.ts'
import type { DType, TypedArray } from '../core/types.ts'

/** A tensor in native memory. */
export interface NativeTensor {
  readonly dtype: DType
  readonly shape: number[]
  readonly byteLength: number
  /** A fresh copy of the elements. */
  read(): TypedArray
  dispose(): void
}

/** A variable in native memory. */
export interface NativeVariable {
  readonly id: number
  readonly name: string
  readonly dtype: DType
  readonly shape: number[]
  read(): NativeTensor
  assign(value: NativeTensor): void
}

/** Stops a run at its next step. */
export interface NativeCancellation {
  cancel(): void
}

/** A graph under construction; values are numbers. */
export interface NativeGraph {
  input(dtype: DType, shape: (number | null)[]): number
  variable(variable: NativeVariable): number
  constant(value: NativeTensor): number
  emit(op: string, attributes: string, operands: number[]): number[]
  describe(value: number): { dtype: DType; shape: (number | null)[] }
  gradients(loss: number, wrt: number[]): (number | null)[]
  text(): string
  compile(outputs: number[], updates: { variable: NativeVariable; value: number }[]): NativeProgram
}

/** Data for one input of a program. */
export type Operand = NativeTensor | TypedArray

/** Of each output its elements, and after them its shape. */
export type Outputs = (Operand | number[])[]

/** Where the operands of staged runs of so many rows lie: first bytes, and the length of all. */
export interface Stage {
  readonly bytes: number
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Of the outputs. */
  readonly shapes: readonly (readonly number[])[]
}

/** A compiled graph. The shape of an operand counts where it is a typed array. */
export interface NativeProgram {
  /** `null` where operands are not small or more than the rows of inputs is unknown. */
  stage(rows: number): Stage | null
  runStaged(rows: number, memory: Uint8Array): void
  runSync(inputs: readonly Operand[], shapes: readonly (readonly number[])[]): Outputs
  outputTypes(): DType[]
  describe(shapes: number[][]): string
  measure(inputs: NativeTensor[], runs: number): string
}

/** Runs that are under way on the library's own threads; each has a number of the caller's choice. */
export interface NativeRuns {
  begin(
    number: number,
    program: NativeProgram,
    inputs: readonly Operand[],
    shapes: readonly (readonly number[])[],
    cancellation?: NativeCancellation,
  ): void
  /** Of each run that has ended its number, and after it what came of it. */
  fetch(): (number | Outputs | Error)[]
}

/** A tensor as files hold it: raw little-endian bytes and the file's own name of the type. */
export interface StoredTensor {
  path: string
  dtype: string
  shape: number[]
  data: Uint8Array
}

/** A group of a weights file that carries the name of a layer. */
export interface StoredGroup {
  path: string
  name?: string
}

/** Everything the native core offers. */
export interface Addon {
  NativeTensor: {
    new (dtype: DType, shape: readonly number[], data: TypedArray): NativeTensor
    zeros(dtype: DType, shape: readonly number[]): NativeTensor
  }
  NativeVariable: new (name: string, value: NativeTensor) => NativeVariable
  NativeGraph: new () => NativeGraph
  /** `bell` is called when there are ended runs to fetch. */
  NativeRuns: new (bell: () => void) => NativeRuns
  NativeCancellation: new () => NativeCancellation
  readArchive(bytes: Uint8Array): { config: string; metadata: string; tensors: StoredTensor[] }
  writeArchive(model: { config: string; metadata: string; groups: StoredGroup[]; tensors: StoredTensor[] }): Uint8Array
  readWeights(bytes: Uint8Array): StoredTensor[]
  writeWeights(weights: { groups: StoredGroup[]; tensors: StoredTensor[] }): Uint8Array
  settings(): { threads: number; simd: string; memoryLimit: number; allocatedBytes: number; version: string }
  setThreads(threads: number): void
  setMemoryLimit(bytes: number): void
}

const require = createRequire(import.meta.url)

function load(): Addon {
  try {
    // A name of package.json, since the built library is one file in another folder.
    return require('#native') as Addon
  } catch (cause) {
    const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
    const libc = process.platform === 'linux' ? (report?.header?.glibcVersionRuntime ? 'glibc' : 'musl') : ''
    throw new InternalError(
      `Ferrograph's native core could not be loaded on ${[process.platform, process.arch, libc].filter(Boolean).join(' ')} ` +
        `with Node ${process.version}. In a checkout run "npm run build"; in an application run ` +
        `"npm install ferrograph" again on this machine, without --omit=optional. The cause below says what was tried.`,
      { platform: process.platform, arch: process.arch, node: process.version },
      { cause },
    )
  }
}

/** The native core. */
export const addon: Addon = load()
