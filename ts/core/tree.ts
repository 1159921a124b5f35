/** A value, or arrays and objects of them to any depth. */
export type Structure<T> = T | readonly Structure<T>[] | { readonly [key: string]: Structure<T> }

/** Whether a value is an object literal, as structures are made of. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The keys of a structure's object in the order in which Keras flattens it: sorted by code point. */
export function sortedKeys(object: object): string[] {
  return Object.keys(object).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** The leaves in order; objects contribute theirs by sorted key, as in Keras. */
export function flatten<T>(structure: Structure<T>): T[] {
  const leaves: T[] = []
  mapStructure(structure, (leaf) => leaves.push(leaf))
  return leaves
}

/** The same structure with every leaf replaced. Leaves are visited in the order of {@link flatten}. */
export function mapStructure<T, R>(
  structure: Structure<T>,
  replace: (leaf: T, path: readonly (string | number)[]) => R,
  path: readonly (string | number)[] = [],
): Structure<R> {
  if (path.length > 32) throw new RangeError(`expected a structure nested at most 32 deep`)
  if (Array.isArray(structure)) {
    return structure.map((item: Structure<T>, i) => mapStructure(item, replace, [...path, i]))
  }
  if (isPlainObject(structure)) {
    const result: Record<string, Structure<R>> = Object.create(null) as Record<string, Structure<R>>
    const visited = new Map(
      sortedKeys(structure).map((key) => [key, mapStructure(structure[key] as Structure<T>, replace, [...path, key])]),
    )
    // Objects keep the order in which their keys were declared.
    for (const key of Object.keys(structure)) result[key] = visited.get(key) as Structure<R>
    return { ...result }
  }
  return replace(structure as T, path)
}

/** Puts `leaves`, in the order of {@link flatten}, into the form of `structure`. */
export function packLike<R>(structure: Structure<unknown>, leaves: readonly R[]): Structure<R> {
  let next = 0
  return mapStructure(structure, () => leaves[next++] as R)
}

/** The leaves in the order in which they were written down, with their keys: what a list pairs up with. */
export function declaredLeaves<T>(structure: Structure<T>): { path: readonly (string | number)[]; leaf: T }[] {
  if (Array.isArray(structure)) {
    return structure.flatMap((item: Structure<T>, i) => prefixed(i, declaredLeaves(item)))
  }
  if (isPlainObject(structure)) {
    return Object.keys(structure).flatMap((key) => prefixed(key, declaredLeaves(structure[key] as Structure<T>)))
  }
  return [{ path: [], leaf: structure as T }]
}

function prefixed<T>(
  key: string | number,
  leaves: { path: readonly (string | number)[]; leaf: T }[],
): { path: readonly (string | number)[]; leaf: T }[] {
  return leaves.map(({ path, leaf }) => ({ path: [key, ...path], leaf }))
}
