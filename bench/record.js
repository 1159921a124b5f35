import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startFolder } from './options.js'

/**
 * Writes what was measured, and on what, as JSON.
 *
 * @returns the file's name relative to where the command was given
 */
export function writeRecord(rows, { out, rounds, budget, pythonVersions }) {
  const processor = cpus()[0]?.model.trim() ?? 'unknown'
  const file = out ?? fileURLToPath(new URL(`record/${slug(processor)}.json`, import.meta.url))
  const record = {
    processor,
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
    versions: { ...versions(), ...pythonVersions },
    rounds,
    budgetMs: budget,
    rows: rows.map(recordedRow),
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${oneLinePerRow(record)}\n`)
  return relative(startFolder, file)
}

function recordedRow({ workload, kind, batch, engine, form, status, reason, median, least, others, rounds }) {
  const common = { workload, kind, batch, engine, ...(form === undefined ? {} : { form }) }
  if (median === undefined) return { ...common, status, ...(reason === undefined ? {} : { reason }) }
  return {
    ...common,
    medianMs: rounded(median),
    leastMs: rounded(least),
    roundMediansMs: rounds.map((round) => rounded(round.median)),
    calls: rounds.reduce((sum, round) => sum + round.calls, 0),
    ...(others === undefined ? {} : { othersShare: rounded(others) }),
  }
}

function rounded(value) {
  return Number(value.toPrecision(4))
}

/** JSON in which a changed row is one changed line. */
function oneLinePerRow({ rows, ...head }) {
  const text = JSON.stringify(head, null, 2).slice(0, -2)
  return `${text},\n  "rows": [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]\n}`
}

function versions() {
  const require = createRequire(import.meta.url)
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  return {
    ferrograph: versionOf(new URL('../package.json', import.meta.url)),
    node: process.versions.node,
    ...Object.fromEntries(Object.keys(dependencies).map((name) => [name, versionOf(require.resolve(`${name}/package.json`))])),
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
