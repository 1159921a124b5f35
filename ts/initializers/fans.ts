import { ConfigError } from '../core/errors.ts'
import { formatShape } from '../core/types.ts'
import { field, type Field } from '../core/schema.ts'
import { seedField, type Distribution } from './random-initializer.ts'

/** How the scale of random weights follows from their shape. */
export interface Scaling {
  /** Variance times the number of connections. */
  readonly scale: number
  /** Which connections count. */
  readonly mode: 'fan_in' | 'fan_out' | 'fan_avg'
  readonly distribution: 'truncated_normal' | 'untruncated_normal' | 'uniform'
}

/** Axes that count as inputs and as outputs, where the usual rule does not apply. */
export interface FanAxes {
  readonly inputAxes: readonly number[] | null
  readonly outputAxes: readonly number[] | null
}

/** Options that every initializer scaled by connections takes. */
export const fanFields: {
  readonly seed: Field<number | null, number | null, false>
  readonly inputAxes: Field<readonly number[] | null, readonly number[] | null, false>
  readonly outputAxes: Field<readonly number[] | null, readonly number[] | null, false>
} = { seed: seedField(), inputAxes: axesField(), outputAxes: axesField() }

function axesField(): Field<readonly number[] | null, readonly number[] | null, false> {
  return field<readonly number[] | null, readonly number[] | null>({
    default: null,
    wanted: 'an array of integers or null',
    parse: (value) => (value === null || (Array.isArray(value) && value.every(Number.isSafeInteger)) ? value : undefined),
    serialize: (value) => value,
  })
}

/**
 * The numbers of connections into and out of a unit. The last two axes are inputs and outputs, those before them are
 * the places of a convolution's kernel.
 */
export function computeFans(shape: readonly number[], axes: FanAxes): { fanIn: number; fanOut: number } {
  if (axes.inputAxes && axes.outputAxes) {
    const along = (list: readonly number[]): number => product(list.map((axis) => extentAt(shape, axis)))
    return { fanIn: along(axes.inputAxes), fanOut: along(axes.outputAxes) }
  }
  const places = product(shape.slice(0, -2))
  const outputs = shape.at(-1) ?? 1
  return { fanIn: (shape.at(-2) ?? outputs) * places, fanOut: outputs * places }
}

function product(extents: readonly number[]): number {
  return extents.reduce((n, extent) => n * extent, 1)
}

function extentAt(shape: readonly number[], axis: number): number {
  const extent = shape.at(axis)
  if (extent === undefined) throw new ConfigError(`expected an axis of ${formatShape(shape)} in 'inputAxes' and 'outputAxes', received ${axis}`)
  return extent
}

// The standard deviation of a standard normal distribution that is cut at two standard deviations.
const truncatedDeviation = 0.8796256610342398

/** The distribution whose variance is `scale` over the number of connections. */
export function scaledDistribution(shape: readonly number[], axes: FanAxes, { scale, mode, distribution }: Scaling): Distribution {
  const { fanIn, fanOut } = computeFans(shape, axes)
  const fan = mode === 'fan_in' ? fanIn : mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2
  const variance = scale / Math.max(1, fan)
  if (distribution === 'uniform') {
    const limit = Math.sqrt(3 * variance)
    return { distribution, minval: -limit, maxval: limit }
  }
  const stddev = Math.sqrt(variance)
  if (distribution === 'untruncated_normal') return { distribution: 'normal', mean: 0, stddev }
  return { distribution, mean: 0, stddev: stddev / truncatedDeviation }
}
