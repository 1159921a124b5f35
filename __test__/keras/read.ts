// Loads the models that real Keras wrote into a folder: the same predictions, and the same weights after going on training.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkKerasFile, type KerasFileCase } from '../helpers/keras-file.ts'

const folder = process.argv[2]
if (!folder) throw new Error('usage: read.ts FOLDER')
let passed = 0
let failed = 0
for (const name of readdirSync(folder).filter((file) => file.endsWith('.keras'))) {
  const path = join(folder, name)
  const expected = JSON.parse(readFileSync(path.replace(/\.keras$/, '.json'), 'utf8')) as KerasFileCase
  const wrong = await checkKerasFile(path, expected).catch((error: unknown) => [String(error)])
  console.log(`${wrong.length === 0 ? 'ok' : 'FAILED'} ${name}${wrong.map((line) => `\n  ${line}`).join('')}`)
  if (wrong.length === 0) passed++
  else failed++
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
