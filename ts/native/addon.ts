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

/** A compiled graph. */
export interface NativeProgram {
  runSync(inputs: NativeTensor[]): NativeTensor[]
  run(inputs: NativeTensor[], cancellation?: NativeCancellation): Promise<NativeTensor[]>
  describe(shapes: number[][]): string
  measure(inputs: NativeTensor[], runs: number): string
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
    new (dtype: DType, shape: number[], data: TypedArray): NativeTensor
    zeros(dtype: DType, shape: number[]): NativeTensor
  }
  NativeVariable: new (name: string, value: NativeTensor) => NativeVariable
  NativeGraph: new () => NativeGraph
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
    return require('../../native.cjs') as Addon
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
