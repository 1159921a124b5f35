// Runs the Rust tests and the JavaScript tests under AddressSanitizer, which finds reads and writes outside of what was
// allocated, and uses after it was freed. Needs Rust's nightly toolchain and, for JavaScript, gcc's libasan: without them
// it says so and runs nothing. `npm run asan -- rust` or `-- javascript` runs a half.
// Ends with one line, "N passed, N failed".
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, root } from './project.mjs'
import { avaCount, cargoCount, Steps } from './steps.mjs'

const target = 'x86_64-unknown-linux-gnu'
const folder = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'asan')
// Leaks are not looked for: threads of the pool and V8 itself live until the process ends. Tests ask for more memory than
// there is, and get none.
const options = {
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
  CARGO_TARGET_DIR: folder,
  // What reports need to name lines, and no more: half of the time goes into building.
  CARGO_PROFILE_TEST_DEBUG: 'line-tables-only',
  RUSTFLAGS: '-Zsanitizer=address',
}
// `testkit` is left out: its faulty kernels are for guard pages to find, and AddressSanitizer finds them first. So are
// examples in the documentation, which are compiled without these flags.
const crates = ['simd', 'tensor', 'kernels', 'ops', 'executor', 'formats'].flatMap((name) => ['-p', `ferrograph-${name}`])
// Takes minutes for files without number, and counts memory, of which AddressSanitizer keeps what was freed.
const skipped = ['--', '--skip', 'mutated_files_are_values_or_errors_in_bounded_memory']
// Measures memory, of which AddressSanitizer keeps what was freed.
const left = ['!__test__/memory.test.ts']

const output = (command, args) => spawnSync(command, args, { encoding: 'utf8' }).stdout?.trim() ?? ''
const half = process.argv[2] ?? 'both'
const libasan = output('gcc', ['-print-file-name=libasan.so'])
const steps = new Steps()

if (process.platform !== 'linux' || process.arch !== 'x64') console.log('AddressSanitizer: not run, this is not Linux on x64')
else if (!output('rustc', ['+nightly', '--version'])) console.log("AddressSanitizer: not run, there is no nightly toolchain ('rustup toolchain install nightly')")
else {
  if (half !== 'javascript') {
    await steps.run('Rust tests under AddressSanitizer', 'cargo', ['+nightly', 'test', '--quiet', '--lib', '--tests', '--target', target, ...crates, ...skipped], cargoCount, options)
  }
  if (half !== 'rust') {
    if (!existsSync(libasan)) console.log("AddressSanitizer: JavaScript tests not run, there is no libasan of gcc's")
    else await javascript()
  }
}
steps.end()

/** The addon calls the sanitizer's functions, which gcc's library brings into a node that knows nothing of them. */
async function javascript() {
  build()
  const profile = ['--profile', 'test']
  await steps.run('addon for AddressSanitizer', 'cargo', ['+nightly', 'build', '--quiet', ...profile, '--target', target, '-p', 'ferrograph-node'], undefined, options)
  const addon = join(folder, 'ferrograph.node')
  copyFileSync(join(folder, target, 'debug', 'libferrograph_node.so'), addon)
  const env = { ...options, LD_PRELOAD: libasan, NAPI_RS_NATIVE_LIBRARY_PATH: addon }
  await steps.run('JavaScript tests under AddressSanitizer', join(root, 'node_modules/.bin/ava'), ['--timeout=20m', '__test__/**/*.test.ts', ...left], avaCount, env)
}
