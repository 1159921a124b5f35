import type { SymbolicTensor } from '../core/symbolic.ts'
import { applyMask } from '../losses/apply-mask.ts'
import { divideNoNan } from '../losses/divide-no-nan.ts'
import { sameRank } from '../losses/same-rank.ts'
import type { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { Metric } from './base.ts'

/** Axes `from..rank - 1`. */
function axesFrom(from: number, rank: number): number[] {
  return Array.from({ length: Math.max(0, rank - from) }, (_, i) => from + i)
}

type Reduce = (x: SymbolicTensor, options: { axis: number[] }) => SymbolicTensor

function reduced(x: SymbolicTensor, from: number, reduce: Reduce): SymbolicTensor {
  return x.rank > from ? reduce(x, { axis: axesFrom(from, x.rank) }) : x
}

/** One weighted value and one weight for each sample, by Keras's rules. */
export function samplewise(
  values: SymbolicTensor,
  sampleWeight: SymbolicTensor | null | undefined,
  reduce: Reduce,
): [values: SymbolicTensor, weights: SymbolicTensor | undefined] {
  let x = ops.cast(values, 'float32')
  if (!sampleWeight) return [reduced(x, 1, reduce), undefined]
  let w = applyMask(values.mask, ops.cast(sampleWeight, 'float32'), 'sum') as SymbolicTensor
  ;[x, w] = sameRank(x, w)
  x = reduced(x, w.rank, reduce)
  w = ops.multiply(w, ops.onesLike(x))
  return [reduced(ops.multiply(x, w), 1, reduce), reduced(w, 1, reduce)]
}

/** The base of metrics that are a weighted mean. */
export abstract class MeanState extends Metric {
  /** The sum of weighted values. */
  readonly total: Variable = this.addVariable('total')
  /** The sum of weights. */
  readonly count: Variable = this.addVariable('count')

  /** Takes values, `[batch, ...]` or a scalar, into the mean. */
  protected accumulate(values: SymbolicTensor, sampleWeight?: SymbolicTensor | null): void {
    const [x, w] = samplewise(values, sampleWeight, ops.mean)
    this.total.assign(ops.add(this.total, ops.sum(x)))
    this.count.assign(ops.add(this.count, w ? ops.sum(w) : x.rank === 0 ? 1 : ops.size(x, { axis: 0 })))
  }

  override result(): SymbolicTensor {
    return divideNoNan(ops.multiply(this.total, 1), ops.multiply(this.count, 1))
  }
}
