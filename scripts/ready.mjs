// What to run before a commit: everything that continuous integration runs, and the documentation.
import { build, run } from './project.mjs'

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
build()
run(npm, ['run', '--silent', 'generate'])
run('cargo', ['fmt', '--all'])
run('npx', ['typedoc', '--emit', 'none'])
run('npx', ['publint', '--strict', '--pack', 'false'])
run('node', ['scripts/keras-check.mjs'])
run('node', ['scripts/test.mjs'])
