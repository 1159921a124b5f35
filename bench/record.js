import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tfjsNodeFolder } from './engines/tfjs-node-folder.js'
import { startFolder } from './options.js'
import { workloads } from './workloads/index.js'

/** What a record consists of, besides its head. */
const parts = ['networks', 'curves', 'serving', 'starting', 'kernels']

/**
 * Opens the record of a run: JSON that says what was measured, and on what. It is written after every addition, so that
 * a run that is stopped leaves what it has; additions return the rows as they are recorded. Without a file to write to it
 * has no name and keeps nothing.
 */
export function openRecord({ out, everything, merge, rounds, budget, pythonVersions }) {
  const file = out ?? (everything || merge ? usualRecord() : undefined)
  const before = merge && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const record = {
    processor: processor(),
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
    versions: { ...before.versions, ...versions(), ...pythonVersions },
    rounds,
    budgetMs: budget,
    peakGflops: before.peakGflops,
    ...Object.fromEntries(parts.map((part) => [part, before[part] ?? []])),
  }
  const write = () => {
    if (file === undefined) return
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${oneLinePerRow(record)}\n`)
  }
  return {
    name: file && relative(startFolder, file),
    addNetwork(rows) {
      // Only times of one run are compared, so all engines' earlier ones go.
      const measured = new Set(rows.map(({ workload, kind }) => `${workload} ${kind}`))
      const kept = record.networks.filter(({ workload, kind }) => !measured.has(`${workload} ${kind}`))
      const added = rows.map(recordedRow)
      record.networks = [...kept, ...added].toSorted((a, b) => place(a) - place(b))
      write()
      return added
    },
    addPart(part, { rows, peakGflops }) {
      const added = rows.map(recordedPartRow)
      record[part] = added
      if (peakGflops !== undefined) record.peakGflops = rounded(peakGflops)
      write()
      return added
    },
  }
}

/** The file of the record of a run of everything on this processor. */
export function usualRecord() {
  return fileURLToPath(new URL(`record/${slug(processor())}.json`, import.meta.url))
}

function processor() {
  return cpus()[0]?.model.trim() ?? 'unknown'
}

/** Workloads stay in one order, whatever is measured again. */
function place({ workload, kind }) {
  return 2 * [...workloads.keys()].indexOf(workload) + (kind === 'train' ? 1 : 0)
}

function recordedRow({ workload, kind, batch, engine, form, status, reason, median, least, others, rounds }) {
  const common = { workload, kind, batch, engine, ...(form === undefined ? {} : { form }) }
  if (median === undefined || status !== undefined)
    return { ...common, status, ...(reason === undefined ? {} : { reason }) }
  return {
    ...common,
    medianMs: rounded(median),
    leastMs: rounded(least),
    roundMediansMs: rounds.map((round) => rounded(round.median)),
    calls: rounds.reduce((sum, round) => sum + round.calls, 0),
    ...(others === undefined ? {} : { othersShare: rounded(others) }),
  }
}

function recordedPartRow(row) {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [recordedName(key), rounded(value)]))
}

/** In the record, names say their units. */
function recordedName(key) {
  return { median: 'medianMs', others: 'othersShare', longestGap: 'longestGapMs' }[key] ?? key
}

function rounded(value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}

/** JSON in which a changed row is one changed line. */
function oneLinePerRow(record) {
  const head = Object.fromEntries(Object.entries(record).filter(([key]) => !parts.includes(key)))
  const lists = parts.map((part) => {
    const rows = record[part].map((row) => `\n    ${JSON.stringify(row)}`)
    return `  "${part}": [${rows.join(',')}${rows.length > 0 ? '\n  ' : ''}]`
  })
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n${lists.join(',\n')}\n}`
}

function versions() {
  const require = createRequire(import.meta.url)
  const native = tfjsNodeFolder && createRequire(join(tfjsNodeFolder, 'package.json'))
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  return {
    ferrograph: versionOf(new URL('../package.json', import.meta.url)),
    node: process.versions.node,
    ...Object.fromEntries(
      Object.keys(dependencies).map((name) => [name, versionOf(require.resolve(`${name}/package.json`))]),
    ),
    ...(native ? { '@tensorflow/tfjs-node': versionOf(native.resolve('@tensorflow/tfjs-node/package.json')) } : {}),
  }
}

function versionOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).version
}

function slug(text) {
  return text
    .replaceAll(/\((?:R|TM|C)\)/gi, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
