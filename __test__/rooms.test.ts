import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

/** Which room of ts/ may import which. `index.ts` may import all. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  native: ['core'],
  ops: ['native', 'core'],
  activations: ['ops', 'native', 'core'],
  initializers: ['ops', 'native', 'core'],
  regularizers: ['ops', 'native', 'core'],
  constraints: ['ops', 'native', 'core'],
  schedules: ['ops', 'native', 'core'],
  losses: ['ops', 'native', 'core'],
  metrics: ['losses', 'ops', 'native', 'core'],
  optimizers: ['schedules', 'ops', 'native', 'core'],
  layers: ['activations', 'initializers', 'regularizers', 'constraints', 'ops', 'native', 'core'],
  training: ['losses', 'metrics', 'optimizers', 'schedules', 'ops', 'native', 'core'],
  saving: ['native', 'core'],
  viz: ['core'],
  models: ['layers', 'training', 'saving', 'viz', 'ops', 'native', 'core'],
}

const top = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'ts')
const files = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const imports = (file: string): string[] =>
  [...readFileSync(join(top, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) =>
    relative(top, resolve(top, dirname(file), match[1] as string)),
  )

test('every room of ts/ imports only what its arrows allow', (t) => {
  const wrong = files
    .filter((file) => file !== 'index.ts')
    .flatMap((file) => {
      const room = file.split(sep)[0] as string
      return imports(file)
        .map((target) => target.split(sep)[0] as string)
        .filter((target) => target !== room && !arrows[room]?.includes(target))
        .map((target) => `${file}: '${room}' may not import '${target}'`)
    })
  t.deepEqual(wrong, [])
})

test('every room is in the table', (t) => {
  t.deepEqual([...new Set(files.filter((file) => file.includes(sep)).map((file) => file.split(sep)[0]))].sort(), Object.keys(arrows).sort())
})

test('only native/addon.ts loads the addon', (t) => {
  const loaders = files.filter((file) => /['"]#native['"]|native\.cjs|\.node['"]/.test(readFileSync(join(top, file), 'utf8')))
  t.deepEqual(loaders, [join('native', 'addon.ts')])
})
