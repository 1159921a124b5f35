import { compare } from './agree.js'
import { ask } from './child.js'
import { engines } from './engines/index.js'
import { disturbed } from './machine.js'
import { median, slowMs } from './measure.js'
import { progress } from './progress.js'
import { casesOf } from './workloads/index.js'

/** A case that takes this many times as long as the fastest engine of as many threads is timed in the first round only. */
const farBehind = 4

/** A turn that other processes disturb is taken again this often. */
const tries = 3

/**
 * Times every engine on every case of a workload: first the proof that all compute the same, then the rounds.
 *
 * @returns `{ rows, problems }`: a row per case and engine, and sentences about what went wrong
 */
export async function timeNetwork(workload, options) {
  const problems = []
  const rows = casesOf(workload)
    .filter(({ kind }) => options.kinds.includes(kind))
    .flatMap((each) => options.engines.map((engine) => ({ workload: workload.name, ...each, engine, rounds: [] })))
  for (const row of rows) if (row.batch > (workload.largest?.[row.engine]?.[row.kind] ?? Infinity)) row.status = 'slow'
  await check(workload, rows, options, problems)
  for (let round = 1; round <= options.rounds; round++) {
    for (const engine of options.engines) {
      progress(`${workload.name}: round ${round} of ${options.rounds}, ${engine}`)
      await takeTurn(
        rows.filter((row) => row.engine === engine && isTimed(row) && !isFarBehind(row, rows, round)),
        options,
        problems,
      )
    }
  }
  progress('')
  for (const row of rows.filter(({ rounds }) => rounds.length > 0)) summarize(row)
  return { rows, problems }
}

/** A slow case is not repeated. */
function isTimed(row) {
  return row.status === undefined && !row.rounds.some((round) => round.median > slowMs)
}

function isFarBehind(row, rows, round) {
  if (round === 1) return false
  const { threads } = engines.get(row.engine)
  const rivals = rows.filter(
    ({ kind, batch, engine, rounds }) =>
      kind === row.kind && batch === row.batch && engines.get(engine).threads === threads && rounds.length > 0,
  )
  return row.rounds[0]?.median > farBehind * Math.min(...rivals.map(({ rounds }) => rounds[0].median))
}

/** One engine's times of one round: of several tries at a case the least disturbed one. */
async function takeTurn(rows, options, problems) {
  let left = rows
  for (let attempt = 1; attempt <= tries && left.length > 0; attempt++) {
    const again = []
    await askFor('time', left, options, problems, (row, result) => {
      const before = attempt > 1 ? row.rounds.pop() : undefined
      row.rounds.push(before !== undefined && before.others <= result.others ? before : result)
      if (row.rounds.at(-1).others > disturbed && result.median <= slowMs) again.push(row)
    })
    left = again
  }
}

/** Lets every engine compute every case and takes those that disagree out of the timing. */
async function check(workload, rows, options, problems) {
  const answers = new Map()
  for (const engine of options.engines) {
    progress(`${workload.name}: numbers of ${engine}`)
    const own = rows.filter((row) => row.engine === engine && isTimed(row))
    await askFor('check', own, options, problems, (row, result) => {
      row.form = result.form
      // A call this slow need not be made again to be timed.
      if (result.time?.median > slowMs) row.rounds.push(result.time)
      answers.set(row, result)
    })
  }
  progress('')
  for (const { kind, batch } of casesOf(workload)) {
    const same = rows.filter((row) => row.kind === kind && row.batch === batch && answers.has(row))
    const { reference, largest, wrong } = compare(kind, new Map(same.map((row) => [row.engine, answers.get(row)])))
    for (const row of same) if (wrong.has(row.engine)) fail(row, 'wrong', wrong.get(row.engine), problems)
    const agreeing = same.filter((row) => row.status === undefined && row.engine !== reference).map((row) => row.engine)
    if (agreeing.length === 0) continue
    // A slow reference says less about training than a fast one, and an engine beside itself says little.
    const { length } = answers.get(same.find((row) => row.engine === reference)).values
    const what = kind === 'predict' ? `${length} predictions` : `losses over ${length - 1} updates`
    const only = same.every((row) => row.status !== undefined || row.engine.startsWith('ferrograph'))
      ? ' (no peer)'
      : ''
    console.log(
      `${workload.name} ${kind} ${batch}: ${what} of ${agreeing.join(', ')} within ${largest.toExponential(1)} of ${reference}${only}`,
    )
  }
}

/** Asks the engine of these rows about them; what it cannot do or fails at becomes the status of the row. */
async function askFor(task, rows, { budget }, problems, accept) {
  if (rows.length === 0) return
  const [{ workload, engine }] = rows
  const cases = rows.map(({ kind, batch, form }) => ({ kind, batch, form }))
  const results = await ask({ task, workload, engine, cases, budget })
  rows.forEach((row, i) => {
    const result = results[i]
    if (result.failed !== undefined) fail(row, 'failed', result.failed, problems)
    else if (result.cannot !== undefined) Object.assign(row, { status: 'cannot', reason: result.cannot })
    else accept(row, result)
  })
}

function fail(row, status, reason, problems) {
  Object.assign(row, { status, reason })
  problems.push(`${row.workload} ${row.kind} ${row.batch}, ${row.engine}: ${status}: ${reason}`)
}

/** The median of the rounds' medians, and the median of what other processes took of the machine meanwhile. */
function summarize(row) {
  const ascending = (of) =>
    row.rounds
      .map(of)
      .filter((value) => typeof value === 'number')
      .toSorted((a, b) => a - b)
  row.median = median(ascending((round) => round.median))
  row.least = Math.min(...row.rounds.map((round) => round.least))
  const others = ascending((round) => round.others)
  if (others.length > 0) row.others = median(others)
}
