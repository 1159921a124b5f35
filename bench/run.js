// Times ferrograph beside its peers, part by part, and writes the record. See README.md.
import { timeCurves } from './curves.js'
import { engines } from './engines/index.js'
import { timeKernels } from './kernels.js'
import { becameQuiet } from './machine.js'
import { timeNetwork } from './networks.js'
import { readOptions, usage } from './options.js'
import { preparePython } from './python.js'
import { openRecord } from './record.js'
import { timeServing } from './serving.js'
import { timeStarting } from './starting.js'
import { curveTable, kernelTable, networkTable, servingTable, startingTable } from './table.js'
import { workloads } from './workloads/index.js'

const options = parsed()
const python = options.parts.includes('networks') && options.engines.some((name) => engines.get(name).python)
const record = openRecord({ ...options, pythonVersions: python ? preparePython(options.pythonEnvironment) : {} })
const problems = []
if (!options.busy && !(await becameQuiet())) {
  console.error('Other processes use more than a tenth of the machine. Stop them, or measure nevertheless with --busy.')
  process.exit(3)
}

if (options.parts.includes('networks')) {
  const rows = []
  for (const name of options.only) {
    const result = await timeNetwork(workloads.get(name), options)
    rows.push(...record.addNetwork(result.rows))
    problems.push(...result.problems)
  }
  console.log(`\n${networkTable(rows)}`)
}
await part('curves', timeCurves, curveTable)
await part('serving', timeServing, servingTable)
await part('starting', timeStarting, startingTable)
await part('kernels', timeKernels, kernelTable)

if (record.name !== undefined) console.log(`\nRecord: ${record.name}`)
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

/** Measures one part after the networks and prints its table. */
async function part(name, time, tableOf) {
  if (!options.parts.includes(name)) return
  const result = await time(options)
  problems.push(...result.problems)
  console.log(`\n${tableOf(record.addPart(name, result), result.peakGflops)}`)
}
