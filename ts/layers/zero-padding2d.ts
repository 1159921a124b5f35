import { field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import * as ops from '../ops/index.ts'
import { configured } from './configured.ts'
import { dataFormatField } from './fields.ts'
import type { InputSpec } from './layer.ts'

type Sides = readonly [before: number, after: number]

/** Zeros around images `[N, H, W, C]`: one number for all sides, `[height, width]`, or `[[top, bottom], [left, right]]`. */
export class ZeroPadding2D extends configured('ZeroPadding2D', {
  padding: field<number | readonly [number | Sides, number | Sides], readonly [Sides, Sides]>({
    default: 1,
    wanted: 'an integer >= 0, two of them, or [[top, bottom], [left, right]]',
    parse: (value) => {
      const sides = (Array.isArray(value) && value.length === 2 ? value : [value, value]).map(sidesOf)
      return sides[0] && sides[1] ? [sides[0], sides[1]] : undefined
    },
    serialize: (value) => value,
  }),
  dataFormat: dataFormatField(),
}) {
  override inputSpec: InputSpec = { rank: 4 }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.pad(x, [[0, 0], ...this.config.padding, [0, 0]])
  }
}

function valid(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function sidesOf(value: unknown): Sides | undefined {
  if (valid(value)) return [value, value]
  return Array.isArray(value) && value.length === 2 && valid(value[0]) && valid(value[1]) ? [value[0], value[1]] : undefined
}
