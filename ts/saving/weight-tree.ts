import { toSnakeCase } from '../core/names.ts'
import type { Variable } from '../native/variable.ts'

/** What files know of a layer. */
export interface Saved {
  readonly name: string
  readonly className: string
  /** The variables of its own, in the order of files. */
  readonly ownWeights: readonly Variable[]
  /** Below which name its own variables lie; empty for itself. */
  readonly variablesPath: string
  /** Layers it holds, by the property that holds them. */
  readonly savedChildren: readonly (readonly [property: string, child: Saved | readonly Saved[]])[]
}

/** The variables that stand together in one group of a weights file. */
export interface WeightGroup {
  /** Such as `layers/dense/vars`. */
  readonly path: string
  /** The layer's name. */
  readonly name: string
  readonly variables: readonly Variable[]
}

/** Every group of variables of a model with its place in the file, as Keras lays them out. */
export function weightGroups(root: Saved): WeightGroup[] {
  const groups: WeightGroup[] = []
  const visited = new Set<Saved>()
  const waiting: { saved: Saved; path: string }[] = [{ saved: root, path: '' }]
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { saved, path } = next
    if (visited.has(saved)) continue
    visited.add(saved)
    if (saved.ownWeights.length > 0) {
      groups.push({ path: join(path, saved.variablesPath, 'vars'), name: saved.name, variables: saved.ownWeights })
    }
    // Depth first: the first path on which a shared layer is met wins.
    waiting.unshift(...saved.savedChildren.flatMap(([property, child]) => placed(join(path, property), child)))
  }
  return groups
}

function placed(path: string, child: Saved | readonly Saved[]): { saved: Saved; path: string }[] {
  if (!Array.isArray(child)) return [{ saved: child as Saved, path }]
  const used = new Map<string, number>()
  return (child as readonly Saved[]).map((saved) => {
    const base = toSnakeCase(saved.className)
    const count = used.get(base) ?? 0
    used.set(base, count + 1)
    return { saved, path: join(path, count === 0 ? base : `${base}_${count}`) }
  })
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('/')
}
