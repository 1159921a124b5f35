import { ConfigError } from './errors.ts'

const counters = new Map<string, number>()

/** `MaxPooling2D` as Keras spells it in names and files: `max_pooling2d`. */
export function toSnakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

/** `kernel_size` to `kernelSize`. */
export function toCamelCase(key: string): string {
  return key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `kernelSize` to `kernel_size`; digits start no new word: `beta1` is an exception its schema states. */
export function toKerasKey(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The next free automatic name: `dense`, `dense_1`, ... Layers and ops share the counters, as in Keras. */
export function uniqueName(base: string): string {
  const count = counters.get(base) ?? 0
  counters.set(base, count + 1)
  return count === 0 ? base : `${base}_${count}`
}

/** Starts the numbering of automatic names again, as a notebook does between two experiments. */
export function clearSession(): void {
  counters.clear()
}

/** Refuses names that files cannot hold. */
export function checkName(owner: string, name: unknown): string {
  if (typeof name !== 'string' || name === '' || name.includes('/')) {
    throw new ConfigError(`${owner}: 'name' must be a string that is not empty and has no '/'. Received: ${show(name)}`, {
      name,
    })
  }
  return name
}

/** A value as a message shows it, short. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Uint8Array).length})`
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    text = undefined
  }
  text ??= Object.prototype.toString.call(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}
