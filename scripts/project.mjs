// What the other scripts share: running commands, and building what is older than its sources.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Runs a command in the project's folder; its output is shown. Ends this process when the command fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32', ...options })
  if (result.error || result.status !== 0) {
    console.error(`\n${command} ${args.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`)
    process.exit(result.status || 1)
  }
  return result
}

/** The newest time of change below some files and folders. */
function newest(paths, extensions) {
  let time = 0
  const waiting = paths.map((path) => join(root, path))
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (!existsSync(path)) continue
    const stat = statSync(path)
    if (stat.isDirectory()) waiting.push(...readdirSync(path).filter((name) => name !== 'target').map((name) => join(path, name)))
    else if (!extensions || extensions.some((extension) => path.endsWith(extension))) time = Math.max(time, stat.mtimeMs)
  }
  return time
}

/** Installs the tools of development unless they are there. */
export function install() {
  if (existsSync(join(root, 'node_modules', '.package-lock.json'))) return
  console.log('Installing development tools ...')
  // Not `npm ci`: on Node 20 it refuses every lock file with packages that are optional and want a newer Node.
  run(npm, ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Explains what is missing rather than failing in the middle of a build. */
function requireRust() {
  const { status, stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' })
  const version = /rustc (\d+)\.(\d+)/.exec(stdout ?? '')
  if (status === 0 && version && (Number(version[1]) > 1 || Number(version[2]) >= 95)) return
  console.error(`Ferrograph's core is built with Rust 1.95 or newer; found ${stdout?.trim() || 'none'}. Install it from https://rustup.rs`)
  process.exit(1)
}

/** Builds the native core and the JavaScript files where their sources are newer. */
export function build() {
  install()
  const addons = readdirSync(root).filter((name) => name.endsWith('.node'))
  const native = addons.length === 1 ? newest([...addons, 'native.cjs']) : 0
  if (newest(['crates', 'Cargo.toml', 'Cargo.lock'], ['.rs', '.toml', '.lock']) > native) {
    requireRust()
    console.log('Building the native core (cargo, release) ...')
    run(npm, ['run', '--silent', 'build:native'])
  }
  if (newest(['ts', 'tsconfig.json', 'tsconfig.build.json']) > newest(['dist'], ['.js'])) {
    console.log('Building the JavaScript files (tsc) ...')
    run(npm, ['run', '--silent', 'build:ts'])
  }
}
