import { fork } from 'node:child_process'
import { join } from 'node:path'
import { availableParallelism } from 'node:os'
import { disturbed } from './machine.js'
import { median } from './measure.js'
import { progress } from './progress.js'

const networks = ['mlp', 'mobilenetv2', 'lstm']
const tries = 3

/** Who answers: a library on the main thread (`workers` 0) or in worker threads, each with so many threads. */
function servers() {
  const all = availableParallelism()
  return [
    { library: 'ferrograph-async', workers: 0, threads: all },
    { library: 'ort-node', workers: 0, threads: 1 },
    { library: 'ort-node', workers: 0, threads: all },
    { library: 'ort-node', workers: 1, threads: 1 },
    { library: 'ort-node', workers: all, threads: 1 },
  ]
}

/**
 * Serves predictions of one row each, 16 outstanding at any time.
 *
 * @returns rows `{ workload, library, workers, threads, itemsPerSecond, longestGap, others }`: medians of the rounds; the
 * gap is the longest time in ms between two ticks of a timer of 5 ms on the main thread
 */
export async function timeServing({ rounds, quick }) {
  const rows = networks.flatMap((workload) => servers().map((server) => ({ workload, ...server, results: [] })))
  const problems = []
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      progress(`serving ${row.workload}: round ${round} of ${rounds}, ${nameOf(row)}`)
      const result = await leastDisturbed(() => serve(row, quick ? 500 : 3000))
      if (result.failed === undefined) row.results.push(result)
      else problems.push(`serving ${row.workload}, ${nameOf(row)}: ${result.failed}`)
    }
  }
  progress('')
  return { rows: rows.filter(({ results }) => results.length > 0).map(summary), problems }
}

/** A library and where it runs, in words. */
export function nameOf({ library, workers, threads }) {
  if (library === 'ferrograph-async') return 'ferrograph'
  const where = workers === 0 ? 'main thread' : `${workers} worker${workers > 1 ? 's' : ''}`
  return `${library}, ${where}${threads > 1 ? `, ${threads} threads` : ''}`
}

async function leastDisturbed(attempt) {
  let best
  for (let i = 0; i < tries; i++) {
    const result = await attempt()
    if (best === undefined || result.others < best.others) best = result
    if (best.failed !== undefined || !(best.others > disturbed)) break
  }
  return best
}

function serve({ workload, library, workers, threads }, duration) {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'serving-child.js'), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let lastWords = ''
    child.stderr.on('data', (text) => (lastWords = `${lastWords}${text}`.slice(-2000)))
    child.once('message', resolve)
    child.once('close', (code, signal) =>
      resolve({ failed: `the process ended with ${signal ?? `code ${code}`}: ${lastWords}` }),
    )
    child.send({ workload, engine: `${library}-${threads}`, workers, duration })
  })
}

function summary({ results, ...row }) {
  const middle = (of) => median(results.map(of).toSorted((a, b) => a - b))
  return {
    ...row,
    itemsPerSecond: middle((result) => result.itemsPerSecond),
    longestGap: middle((result) => result.longestGap),
    others: middle((result) => result.others ?? 0),
  }
}
