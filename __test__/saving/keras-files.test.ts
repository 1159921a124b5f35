import { readdirSync } from 'node:fs'
import test from 'ava'
import { golden } from '../helpers/golden.ts'
import { checkKerasFile, type KerasFileCase } from '../helpers/keras-file.ts'

const folder = new URL('../golden/keras-files/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.keras'))) {
  test(`'${file}', written by Keras: same predictions, same weights after going on training`, async (t) => {
    const expected = golden<KerasFileCase>(`keras-files/${file.replace(/\.keras$/, '.json')}`)
    t.deepEqual(await checkKerasFile(new URL(file, folder), expected), [])
  })
}
