import { DataError } from '../../core/errors.ts'
import { show } from '../../core/names.ts'
import { declaredLeaves, flatten, isPlainObject, type Structure } from '../../core/tree.ts'
import { isTensorLike } from './types.ts'

/** A place that data is given for: an input or an output of a model. A class, so that structures take it as a leaf. */
export class Place {
  /** The name in messages and in data given by name. */
  readonly name: string
  /** Whether data may be left out. */
  readonly optional: boolean

  constructor(name: string, optional = false) {
    this.name = name
    this.optional = optional
  }
}

/** What data is arranged for, as messages say it. */
export interface Purpose {
  /** The model. */
  readonly owner: string
  /** `input`, `output` or `sample weights of output`. */
  readonly noun: string
}

/**
 * Data given as one value, a list in the declared order or an object by name, brought into the flat order of the
 * places. Keys that name no place are ignored, as in Keras.
 *
 * @throws DataError naming the place that has no data.
 */
export function arrange(purpose: Purpose, places: Structure<Place>, given: unknown): unknown[] {
  if (places instanceof Place && isTensorLike(given)) return [given]
  const found = new Map<Place, unknown>()
  fill(purpose, places, given, found)
  return flatten(places).map((place) => {
    const value = found.get(place)
    if (value === undefined || value === null) {
      if (place.optional) return undefined
      throw missing(purpose, places, place, given)
    }
    return value
  })
}

function fill(purpose: Purpose, places: Structure<Place>, given: unknown, found: Map<Place, unknown>): void {
  if (given === undefined || given === null) return
  const leaves = declaredLeaves(places).map(({ leaf }) => leaf)
  if (isPlainObject(given) && !isTensorLike(given)) byName(purpose, places, given, found)
  else if (!Array.isArray(places) && !isPlainObject(places))
    found.set(leaves[0] as Place, single(purpose, leaves[0] as Place, given))
  else if (!Array.isArray(given))
    throw new DataError(`${purpose.owner}: expected data for ${count(leaves.length, purpose)}, received one value`)
  else if (Array.isArray(places) && given.length === places.length) {
    places.forEach((part: Structure<Place>, i) => fill(purpose, part, given[i], found))
  } else {
    const wanted = given.length === leaves.length ? leaves : leaves.filter((place) => !place.optional)
    if (given.length !== wanted.length) {
      throw new DataError(
        `${purpose.owner}: expected data for ${count(leaves.length, purpose)}, received a list of ${given.length}`,
      )
    }
    wanted.forEach((place, i) => found.set(place, given[i]))
  }
}

function byName(
  purpose: Purpose,
  places: Structure<Place>,
  given: Record<string, unknown>,
  found: Map<Place, unknown>,
): void {
  if (isPlainObject(places)) {
    for (const [key, part] of Object.entries(places)) {
      if (Object.hasOwn(given, key)) fill(purpose, part as Structure<Place>, given[key], found)
    }
  }
  for (const place of flatten(places)) {
    if (!found.has(place) && Object.hasOwn(given, place.name))
      found.set(place, single(purpose, place, given[place.name]))
  }
}

/** A list of one is as good as what is in it. */
function single({ owner, noun }: Purpose, place: Place, given: unknown): unknown {
  if (given === null || given === undefined || isTensorLike(given)) return given
  if (Array.isArray(given) && given.length === 1 && isTensorLike(given[0])) return given[0]
  const received = Array.isArray(given) ? `a list of ${given.length}` : show(given)
  throw new DataError(`${owner}: expected numbers for ${noun} '${place.name}', received ${received}`, {
    name: place.name,
  })
}

function count(n: number, { noun }: Purpose): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

function missing({ owner, noun }: Purpose, places: Structure<Place>, place: Place, given: unknown): DataError {
  const expected = flatten(places)
    .map(({ name }) => show(name))
    .join(', ')
  const received = isPlainObject(given)
    ? `; received the keys ${Object.keys(given).map(show).join(', ') || '(none)'}`
    : ''
  return new DataError(`${owner}: missing data for ${noun} '${place.name}'${received}; expected ${expected}`, {
    name: place.name,
  })
}
