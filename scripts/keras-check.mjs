// Holds our files against real Keras: it loads what we write, we load what it writes, and both go on training alike.
// Installs Keras into a virtual environment outside the checkout, unless FERROGRAPH_KERAS_PYTHON names a Python that has it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, root, run } from './project.mjs'

build()
const golden = join(root, '__test__', 'golden')
const folder = mkdtempSync(join(tmpdir(), 'ferrograph-keras-'))
let passed = 0
let failed = 0

/** Runs a checker whose last line is "N passed, N failed". */
function check(command, args) {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, KERAS_BACKEND: 'jax' } })
  process.stdout.write(stdout ?? '')
  const result = /(\d+) passed, (\d+) failed\s*$/.exec(stdout ?? '')
  if (!result) process.stderr.write(stderr ?? '')
  passed += Number(result?.[1] ?? 0)
  failed += result ? Number(result[2]) : 1
  if (status !== 0 && result?.[2] === '0') failed++
}

try {
  let python = process.env.FERROGRAPH_KERAS_PYTHON
  if (!python) {
    run('python3', ['-m', 'venv', join(folder, 'venv')])
    python = join(folder, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin', 'python')
    console.log('Installing Keras into a virtual environment ...')
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(golden, 'requirements.txt')])
  }
  const [ours, theirs] = ['ours', 'theirs'].map((name) => join(folder, name))
  for (const path of [ours, theirs]) mkdirSync(path)
  check('node', ['--import=tsx', '__test__/keras/write.ts', ours])
  check(python, [join(golden, 'check_with_keras.py'), 'load', ours])
  run(python, [join(golden, 'check_with_keras.py'), 'write', theirs, '--seed', '7'], { env: { ...process.env, KERAS_BACKEND: 'jax' } })
  check('node', ['--import=tsx', '__test__/keras/read.ts', theirs])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
