import type { Structure } from '../../core/tree.ts'
import { Tensor, type TensorLike } from '../../native/tensor.ts'

/** Data for the inputs of a model: one, a list in the declared order, or an object by the names of the inputs. */
export type InputData = Structure<TensorLike>

/** Targets for the outputs, in the same forms; `null` for an output that has neither loss nor metric. */
export type TargetData = Structure<TensorLike | null> | null

/** One batch of an iterable: inputs, targets and weights of the samples. */
export type Batch = readonly [x: InputData, y?: TargetData, sampleWeight?: TargetData]

/**
 * Batches one after the other: an iterable or async iterable, or a function that makes one for each epoch. What can be
 * iterated only once, such as a generator, lasts for one epoch.
 */
export type Batches = Iterable<Batch> | AsyncIterable<Batch> | (() => Iterable<Batch> | AsyncIterable<Batch>)

/** Whether data comes as batches rather than as arrays. */
export function isBatches(data: unknown): data is Batches {
  if (typeof data === 'function') return true
  if (
    typeof data !== 'object' ||
    data === null ||
    Array.isArray(data) ||
    ArrayBuffer.isView(data) ||
    data instanceof Tensor
  )
    return false
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** Whether a value is one tensor's data rather than a list or an object of several. */
export function isTensorLike(value: unknown): value is TensorLike {
  if (typeof value === 'number' || typeof value === 'boolean') return true
  if (value instanceof Tensor || ArrayBuffer.isView(value)) return true
  if (Array.isArray(value)) return isNested(value)
  return typeof value === 'object' && value !== null && 'data' in value && ('shape' in value || 'dims' in value)
}

function isNested(value: readonly unknown[]): boolean {
  let first: unknown = value
  for (let depth = 0; Array.isArray(first) && depth < 32; depth++) {
    if (first.length === 0) return true
    first = first[0]
  }
  return typeof first === 'number' || typeof first === 'boolean'
}
