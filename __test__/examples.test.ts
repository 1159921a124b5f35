import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const folder = new URL('../examples/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.mjs'))) {
  test.serial(`examples/${file} runs`, (t) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL(file, folder))], { encoding: 'utf8', timeout: 240_000 })
    t.is(status, 0, `${stdout.slice(-2000)}\n${stderr}`)
  })
}
