// All checks in order: build, types, lint, generated files, format, clippy, Rust tests, JavaScript tests.
// Ends with one line, "N passed, N failed".
import { spawn } from 'node:child_process'
import { build, root } from './project.mjs'

build()

let passed = 0
let failed = 0

/** Runs a step, shows its output, and adds what `count` finds in it; without counts a step is one check. */
async function step(name, command, args, count) {
  console.log(`\n--- ${name}`)
  const child = spawn(command, args, { cwd: root, shell: process.platform === 'win32', env: { ...process.env, FORCE_COLOR: '0' } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
      process.stdout.write(data)
    })
  }
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', resolve)
  })
  const [good, bad] = count?.(output) ?? [status === 0 ? 1 : 0, status === 0 ? 0 : 1]
  passed += good
  failed += bad
  if (status !== 0 && bad === 0) failed++
}

const total = (output, pattern) => [...output.matchAll(pattern)].reduce((n, match) => n + Number(match[1]), 0)
const cargoCount = (output) => [total(output, /test result: \w+\. (\d+) passed/g), total(output, /passed; (\d+) failed/g)]
const avaCount = (output) => [
  total(output, /^\s*(\d+) tests? passed/gm),
  total(output, /^\s*(\d+) tests? failed/gm) + total(output, /^\s*(\d+) uncaught exceptions?/gm) + total(output, /^\s*(\d+) unhandled rejections?/gm),
]

await step('types', 'npx', ['tsc', '--noEmit'])
await step('lint', 'npx', ['oxlint', '--deny-warnings'])
await step('generated list of ops', 'node', ['scripts/generate-ops.mjs', '--check'])
await step('generated indexes', 'node', ['scripts/generate-indexes.mjs', '--check'])
await step('format of Rust', 'cargo', ['fmt', '--all', '--check'])
await step('clippy', 'cargo', ['clippy', '--quiet', '--workspace', '--all-targets', '--', '-D', 'warnings'])
await step('Rust tests', 'cargo', ['test', '--quiet', '--workspace'], cargoCount)
await step('JavaScript tests', 'npx', ['ava'], avaCount)

console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
