import { engines } from './engines/index.js'

/** More than this share of the machine taken by other processes makes a time doubtful. */
const disturbed = 0.1

/** Columns before those of numbers: workload and kind. */
const textColumns = 2

/** A table in Markdown: one line per case, one column per engine, peers with their time divided by ours. */
export function table(rows) {
  const names = [...new Set(rows.map((row) => row.engine))]
  const lines = byCase(rows).map((own) => {
    const { workload, kind, batch } = own[0]
    const times = names.map((name) => cell(own.find((row) => row.engine === name), own))
    return [workload, kind, String(batch)].concat(times)
  })
  const head = ['workload', 'kind', 'batch', ...names]
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)))
  const pad = (text, i) => (i < textColumns ? text.padEnd(widths[i]) : text.padStart(widths[i]))
  const format = (line) => `| ${line.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i < textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [
    'Milliseconds per call, median of the rounds. (n x): the time is n times ours at as many threads; below 1, ours is slower.',
    '~: others used more than a tenth of the machine. cannot: no such function. slow: left out, see workloads/.',
    '',
    format(head),
    rule,
    ...lines.map(format),
  ].join('\n')
}

/** The rows of each case, in the order of the first ones. */
function byCase(rows) {
  const cases = new Map()
  for (const row of rows) {
    const key = `${row.workload} ${row.kind} ${row.batch}`
    cases.set(key, [...(cases.get(key) ?? []), row])
  }
  return [...cases.values()]
}

function cell(row, own) {
  if (row.median === undefined) return row.status
  const doubt = row.others > disturbed ? '~' : ''
  const time = `${doubt}${digits(row.median)}`
  if (row.engine.startsWith('ferrograph')) return time
  const ours = own.find(({ engine }) => engine === `ferrograph-${engines.get(row.engine).threads}`)
  return ours?.median === undefined ? time : `${time} (${digits(row.median / ours.median, 2)} x)`
}

/** Three significant digits without an exponent. */
function digits(value, significant = 3) {
  const decimals = Math.max(0, significant - 1 - Math.floor(Math.log10(value)))
  return value.toFixed(decimals)
}
