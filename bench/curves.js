import { ask } from './child.js'
import { threadCounts } from './engines/index.js'
import { availableParallelism } from 'node:os'
import { median } from './measure.js'
import { progress } from './progress.js'

const networks = ['mlp', 'mnist-cnn']
const batches = [1, 4, 16, 64, 256]
const libraries = ['ferrograph', 'ort-node']

/**
 * How the time of a prediction changes with the size of the batch and the number of threads.
 *
 * @returns rows `{ workload, batch, threads, engine, medianMs, others }`
 */
export async function timeCurves({ rounds, budget }) {
  const counts = threadCounts.filter((threads) => threads <= availableParallelism())
  const rows = networks.flatMap((workload) =>
    counts.flatMap((threads) =>
      libraries.flatMap((library) =>
        batches.map((batch) => ({ workload, batch, threads, engine: `${library}-${threads}`, times: [] })),
      ),
    ),
  )
  const problems = []
  for (let round = 1; round <= rounds; round++) {
    for (const [workload, engine] of new Map(
      rows.map((row) => [`${row.workload} ${row.engine}`, [row.workload, row.engine]]),
    ).values()) {
      progress(`curve of ${workload}: round ${round} of ${rounds}, ${engine}`)
      const own = rows.filter((row) => row.workload === workload && row.engine === engine)
      const cases = own.map(({ batch }) => ({ kind: 'predict', batch }))
      const results = await ask({ task: 'time', workload, engine, cases, budget: budget / 2 })
      own.forEach((row, i) => {
        if (results[i].median === undefined)
          problems.push(`curve of ${workload} ${row.batch}, ${engine}: ${results[i].failed}`)
        else row.times.push(results[i])
      })
    }
  }
  progress('')
  const timed = rows.filter(({ times }) => times.length > 0)
  return { rows: timed.map(({ times, ...row }) => ({ ...row, ...summary(times) })), problems }
}

function summary(times) {
  const middle = (of) => median(times.map(of).toSorted((a, b) => a - b))
  return { median: middle((time) => time.median), others: middle((time) => time.others ?? 0) }
}
