import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { isPlainObject } from '../../core/tree.ts'
import { Column } from './column.ts'

/** Weights by class; a class that is not named has weight 1. */
export type ClassWeight = Readonly<Record<number, number>> | ReadonlyMap<number, number>

/** Checks class weights. */
export function parseClassWeight(owner: string, given: unknown): ReadonlyMap<number, number> {
  const entries: [unknown, unknown][] | undefined =
    given instanceof Map ? [...given] : isPlainObject(given) ? Object.entries(given) : undefined
  const weights = new Map((entries ?? []).map(([key, weight]) => [Number(key), weight as number]))
  const valid = entries && [...weights].every(([key, weight]) => Number.isInteger(key) && typeof weight === 'number')
  if (valid) return weights
  throw new ConfigError(
    `${owner}: 'classWeight' must be an object or a Map from classes (whole numbers) to weights. Received: ${show(given)}`,
  )
}

/** The weight of each sample by its class. */
export function weightsByClass(label: string, targets: Column, weights: ReadonlyMap<number, number>): Column {
  return Column.from(
    label,
    Float32Array.from(targets.classes(), (id) => weights.get(id) ?? 1),
  )
}
