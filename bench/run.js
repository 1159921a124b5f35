// Times ferrograph beside its peers: proves that all engines compute the same, then takes rounds. See README.md.
import { compare } from './agree.js'
import { ask } from './child.js'
import { engines } from './engines/index.js'
import { median, slowMs } from './measure.js'
import { readOptions, usage } from './options.js'
import { preparePython } from './python.js'
import { writeRecord } from './record.js'
import { table } from './table.js'
import { casesOf, workloads } from './workloads/index.js'

const options = parsed()
const python = options.engines.some((name) => engines.get(name).python)
const pythonVersions = python ? preparePython(options.pythonEnvironment) : {}
const rows = []
const problems = []
for (const name of options.only) await benchmark(workloads.get(name))

console.log(`\n${table(rows)}`)
if (options.out !== undefined || options.everything) console.log(`\nRecord: ${writeRecord(rows, { ...options, pythonVersions })}`)
for (const problem of problems) console.log(problem)
if (problems.length > 0) process.exitCode = 1

function parsed() {
  try {
    const result = readOptions(process.argv.slice(2))
    if (!result.help) return result
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}

/** Adds a row per case and engine. */
async function benchmark(workload) {
  const own = casesOf(workload)
    .filter(({ kind }) => options.kinds.includes(kind))
    .flatMap((each) => options.engines.map((engine) => ({ workload: workload.name, ...each, engine, rounds: [] })))
  rows.push(...own)
  for (const row of own) if (row.batch > (workload.largest?.[row.engine]?.[row.kind] ?? Infinity)) row.status = 'slow'
  await check(workload, own)
  for (let round = 1; round <= options.rounds; round++) {
    for (const engine of options.engines) {
      progress(`${workload.name}: round ${round} of ${options.rounds}, ${engine}`)
      await askFor('time', engine, own.filter(isTimed), (row, result) => row.rounds.push(result))
    }
  }
  progress('')
  for (const row of own.filter(({ rounds }) => rounds.length > 0)) summarize(row)
}

/** A slow case is not repeated. */
function isTimed(row) {
  return row.status === undefined && !row.rounds.some((round) => round.median > slowMs)
}

/** Lets every engine compute every case and takes those that disagree out of the timing. */
async function check(workload, own) {
  const answers = new Map()
  for (const engine of options.engines) {
    progress(`${workload.name}: numbers of ${engine}`)
    await askFor('check', engine, own.filter(isTimed), (row, result) => {
      row.form = result.form
      answers.set(row, result)
    })
  }
  progress('')
  for (const { kind, batch } of casesOf(workload)) {
    const same = own.filter((row) => row.kind === kind && row.batch === batch && answers.has(row))
    const { reference, largest, wrong } = compare(kind, new Map(same.map((row) => [row.engine, answers.get(row)])))
    for (const row of same) if (wrong.has(row.engine)) fail(row, 'wrong', wrong.get(row.engine))
    const agreeing = same.filter((row) => row.status === undefined && row.engine !== reference).map((row) => row.engine)
    if (agreeing.length === 0) continue
    // A slow reference says less about training than a fast one, and an engine beside itself says little.
    const { length } = answers.get(same.find((row) => row.engine === reference)).values
    const what = kind === 'predict' ? `${length} predictions` : `losses over ${length - 1} updates`
    const only = same.every((row) => row.status !== undefined || row.engine.startsWith('ferrograph')) ? ' (no peer)' : ''
    console.log(`${workload.name} ${kind} ${batch}: ${what} of ${agreeing.join(', ')} within ${largest.toExponential(1)} of ${reference}${only}`)
  }
}

/** Asks one engine about its share of `own`; what it cannot do or fails at becomes the status of the row. */
async function askFor(task, engine, own, accept) {
  const asked = own.filter((row) => row.engine === engine)
  if (asked.length === 0) return
  const cases = asked.map(({ kind, batch, form }) => ({ kind, batch, form }))
  const results = await ask({ task, workload: asked[0].workload, engine, cases, budget: options.budget })
  asked.forEach((row, i) => {
    const result = results[i]
    if (result.failed !== undefined) fail(row, 'failed', result.failed)
    else if (result.cannot !== undefined) Object.assign(row, { status: 'cannot', reason: result.cannot })
    else accept(row, result)
  })
}

function fail(row, status, reason) {
  Object.assign(row, { status, reason })
  problems.push(`${row.workload} ${row.kind} ${row.batch}, ${row.engine}: ${status}: ${reason}`)
}

/** The median of the rounds' medians, and the median of what other processes took of the machine meanwhile. */
function summarize(row) {
  const ascending = (of) => row.rounds.map(of).filter((value) => value !== undefined).toSorted((a, b) => a - b)
  row.median = median(ascending((round) => round.median))
  row.least = Math.min(...row.rounds.map((round) => round.least))
  const others = ascending((round) => round.others)
  if (others.length > 0) row.others = median(others)
}

/** One line that overwrites itself on a terminal. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}
