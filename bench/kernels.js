import { fork, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { median } from './measure.js'
import { progress } from './progress.js'

const project = join(import.meta.dirname, '..')

/**
 * The kernels' own report (`crates/kernels/examples/kernels`), and functions of one number beside ONNX Runtime's.
 *
 * @returns rows `{ kernel, shape, threads, medianUs, gflops?, gbytes?, share?, transferUs, limitShare, ratio? }`; `share` is
 * the part of the peak of multiply-adds, `transferUs` the time to read the operands and write the result and nothing else,
 * `limitShare` the part of the nearer of these two limits, all measured at that moment; `ratio` ONNX Runtime's time divided
 * by ours; and `peakGflops`, of one core
 */
export async function timeKernels() {
  progress('kernels')
  const cargo = ['run', '--quiet', '--release', '--package', 'ferrograph-kernels', '--example', 'kernels']
  const { status, stdout, error } = spawnSync('cargo', cargo, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) return { rows: [], problems: [`kernels: cargo ${error?.message ?? `ended with code ${status}`}`] }
  const rows = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const peers = await timePeers()
  for (const row of rows) {
    const nanoseconds = peers[row.kernel]
    if (nanoseconds !== undefined && row.threads === 1)
      row.ratio = (nanoseconds * elements(row.shape)) / (row.medianUs * 1000)
  }
  progress('')
  const peaks = rows.filter(({ share }) => share > 0).map(({ gflops, share, threads }) => gflops / share / threads)
  return {
    rows,
    peakGflops: peaks.length > 0 ? median(peaks.toSorted((a, b) => a - b)) : undefined,
    problems: peers.problems ?? [],
  }
}

function elements(shape) {
  return shape.split('x').reduce((product, extent) => product * Number(extent), 1)
}

/** Nanoseconds per element of ONNX Runtime's functions on one thread, by the kernel's name. */
function timePeers() {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'onnx', 'functions-child.js'), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    child.once('message', resolve)
    child.once('close', (code) =>
      resolve({ problems: [`functions of onnxruntime-node: the process ended with code ${code}`] }),
    )
  })
}
