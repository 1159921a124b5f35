// All checks in order: build, types, lint, generated files, format, clippy, Rust tests, JavaScript tests.
// Ends with one line, "N passed, N failed".
import { build } from './project.mjs'
import { avaCount, cargoCount, Steps } from './steps.mjs'

build()
const steps = new Steps()

await steps.run('types', 'npx', ['tsc', '--noEmit'])
await steps.run('lint', 'npx', ['oxlint', '--deny-warnings'])
await steps.run('generated list of ops', 'node', ['scripts/generate-ops.mjs', '--check'])
await steps.run('generated indexes', 'node', ['scripts/generate-indexes.mjs', '--check'])
await steps.run('format of Rust', 'cargo', ['fmt', '--all', '--check'])
await steps.run('clippy', 'cargo', ['clippy', '--quiet', '--workspace', '--all-targets', '--', '-D', 'warnings'])
await steps.run('Rust tests', 'cargo', ['test', '--quiet', '--workspace'], cargoCount)
await steps.run('JavaScript tests', 'npx', ['ava'], avaCount)

steps.end()
