import { FileError } from './errors.ts'

/** A number that Python must read as a float: `1` is written `1.0`. */
export class PythonFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

const maximumDepth = 100

/** Writes JSON as Python's `json` module does for floats, infinities and NaN, so that Keras reads the types it wrote. */
export function stringifyPython(value: unknown, depth = 0): string {
  if (depth > maximumDepth) throw new FileError(`expected JSON nested at most ${maximumDepth} deep`, 'FILE_LIMIT')
  if (value === null || value === undefined) return 'null'
  if (value instanceof PythonFloat) return pythonFloat(value.value)
  if (typeof value === 'number') return Number.isInteger(value) && !Object.is(value, -0) ? value.toFixed(0) : pythonFloat(value)
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => stringifyPython(item, depth + 1)).join(', ')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${stringifyPython(member, depth + 1)}`).join(', ')}}`
  }
  throw new FileError(`expected a value that JSON can hold, received ${typeof value}`, 'FILE_INVALID')
}

function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/**
 * Reads JSON as Python's `json` module writes it: `NaN`, `Infinity` and `-Infinity` are numbers. Refuses what is nested
 * deeper than 100 and keys that appear twice in one object. Objects have no prototype members to be confused with.
 */
export function parsePython(text: string, where: string): unknown {
  let at = 0
  const fail = (expected: string): never => {
    throw new FileError(`${where}: expected ${expected} at character ${at}`, 'FILE_INVALID', { where, at })
  }
  const space = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at++
  }
  const literals: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['true', true],
    ['false', false],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ]
  const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
  const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
  const readString = (): string => {
    string.lastIndex = at
    const match = string.exec(text)
    if (!match) return fail('a string')
    at += match[0].length
    return JSON.parse(match[0]) as string
  }
  const read = (depth: number): unknown => {
    if (depth > maximumDepth) fail(`nesting at most ${maximumDepth} deep`)
    space()
    const start = text[at]
    if (start === '{') return readObject(depth)
    if (start === '[') return readArray(depth)
    if (start === '"') return readString()
    for (const [word, value] of literals) {
      if (text.startsWith(word, at)) {
        at += word.length
        return value
      }
    }
    number.lastIndex = at
    const match = number.exec(text)
    if (!match) return fail('a value')
    at += match[0].length
    return Number(match[0])
  }
  const readObject = (depth: number): Record<string, unknown> => {
    const object = Object.create(null) as Record<string, unknown>
    at++
    space()
    if (text[at] === '}') {
      at++
      return object
    }
    for (;;) {
      space()
      const key = readString()
      if (Object.hasOwn(object, key)) fail(`every key once, but '${key}' stands twice`)
      space()
      if (text[at] !== ':') fail("':'")
      at++
      object[key] = read(depth + 1)
      space()
      const next = text[at++]
      if (next === '}') return object
      if (next !== ',') {
        at--
        fail("',' or '}'")
      }
    }
  }
  const readArray = (depth: number): unknown[] => {
    const array: unknown[] = []
    at++
    space()
    if (text[at] === ']') {
      at++
      return array
    }
    for (;;) {
      array.push(read(depth + 1))
      space()
      const next = text[at++]
      if (next === ']') return array
      if (next !== ',') {
        at--
        fail("',' or ']'")
      }
    }
  }
  const value = read(0)
  space()
  if (at < text.length) fail('the end')
  return value
}
