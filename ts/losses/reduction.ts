import { toSnakeCase } from '../core/names.ts'
import { field, type Field } from '../core/schema.ts'

/** How the values of the samples become one number; `'mean'` is another word for `'sum_over_batch_size'`. */
export type Reduction = 'sum_over_batch_size' | 'mean' | 'sum' | 'mean_with_sample_weight' | 'none'

/** A reduction as options take it; `null` is `'none'`. */
export type ReductionInput = Reduction | 'sumOverBatchSize' | 'meanWithSampleWeight' | null

const reductions: readonly Reduction[] = ['sum_over_batch_size', 'mean', 'sum', 'mean_with_sample_weight', 'none']

/** The reduction that an option means, if it means one. */
export function parseReduction(value: unknown): Reduction | undefined {
  if (value === null) return 'none'
  return typeof value === 'string'
    ? reductions.find((word) => word === value || word === toSnakeCase(value))
    : undefined
}

/** The option `reduction`. */
export function reductionField(): Field<ReductionInput, Reduction, false> {
  return field<ReductionInput, Reduction>({
    default: 'sum_over_batch_size',
    wanted: `one of ${reductions.map((word) => `'${word}'`).join(', ')}`,
    parse: parseReduction,
    serialize: (value) => value,
  })
}
