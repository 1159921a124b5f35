import { engines } from './engines/index.js'
import { disturbed } from './machine.js'
import { nameOf } from './serving.js'

/** One line per case, one column per engine, peers with their time divided by ours. */
export function networkTable(rows) {
  const names = [...new Set(rows.map((row) => row.engine))]
  const lines = grouped(rows, ({ workload, kind, batch }) => `${workload} ${kind} ${batch}`).map((own) => {
    const { workload, kind, batch } = own[0]
    const times = names.map((name) =>
      cell(
        own.find((row) => row.engine === name),
        own,
      ),
    )
    return [workload, kind, String(batch)].concat(times)
  })
  return [
    'Milliseconds per call, median of the rounds. (n x): the time is n times ours at as many threads; below 1, ours is slower.',
    '~: others used more than a tenth of the machine. cannot: no such function. slow: left out, see workloads/.',
    '',
    markdown(['workload', 'kind', 'batch', ...names], lines, 2),
  ].join('\n')
}

/** The table of `timeCurves`: microseconds per item, a line per network, library and number of threads. */
export function curveTable(rows) {
  const batches = [...new Set(rows.map(({ batch }) => batch))]
  const lines = grouped(rows, ({ workload, engine }) => `${workload} ${engine}`).map((own) => {
    const times = batches.map((batch) => own.find((row) => row.batch === batch))
    return [
      own[0].workload,
      own[0].engine,
      ...times.map((row) => (row ? `${doubt(row)}${digits((row.medianMs * 1000) / row.batch)}` : '')),
    ]
  })
  return `Microseconds per item of predictions in batches.\n\n${markdown(['workload', 'engine', ...batches.map(String)], lines, 2)}`
}

/** The table of `timeServing`. */
export function servingTable(rows) {
  const lines = rows.map((row) => [
    row.workload,
    nameOf(row),
    `${doubt(row)}${digits(row.itemsPerSecond)}`,
    digits(row.longestGapMs),
  ])
  const head = ['workload', 'server', 'items per second', 'longest gap, ms']
  return `Sixteen outstanding predictions of one row; the gap between two ticks of a 5 ms timer.\n\n${markdown(head, lines, 2)}`
}

/** The table of `timeStarting`. */
export function startingTable(rows) {
  const keys = ['importMs', 'loadMs', 'firstMs', 'totalMs', 'residentMb']
  const lines = rows.map((row) => [row.workload, row.library, ...keys.map((key) => digits(row[key]))])
  const head = ['workload', 'library', 'import, ms', 'load, ms', 'first prediction, ms', 'together, ms', 'resident, MB']
  return `Fresh processes.\n\n${markdown(head, lines, 2)}`
}

/** The table of `timeKernels`. */
export function kernelTable(rows, peakGflops) {
  const lines = rows.map((row) => [
    row.kernel,
    row.shape,
    String(row.threads),
    digits(row.medianUs),
    row.gflops === undefined ? `${digits(row.gbytes)} GB/s` : `${digits(row.gflops)} GFLOP/s`,
    percent(row.share),
    row.transferUs === undefined ? '' : digits(row.transferUs),
    percent(row.limitShare),
    row.ratio === undefined ? '' : `${digits(row.ratio, 2)} x`,
  ])
  const peak = peakGflops === undefined ? '' : ` A core multiplies and adds at ${digits(peakGflops)} GFLOP/s.`
  const head = ['kernel', 'shape', 'threads', 'us', 'reached', 'of peak', 'moving, us', 'of limit', 'onnxruntime']
  return [
    `Kernels.${peak} Moving: the time to read the operands once and write the result once, and nothing else, on as many`,
    'threads and wherever caches or memory hold them. The limit is the longer of that time and the time of the multiply-adds at',
    'the peak. Kernel, moving and peak are timed in turn, so a share is of that moment. Above 100 % of the peak, Winograd',
    'multiplies less than a direct sum, or the clock has changed between two of the times. What functions of one number compute',
    'is not counted.',
    '',
    markdown(head, lines, 2),
  ].join('\n')
}

function percent(share) {
  return share === undefined ? '' : `${(share * 100).toFixed(0)} %`
}

/** A table in Markdown whose first `textColumns` columns are aligned to the left. */
function markdown(head, lines, textColumns) {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)))
  const pad = (text, i) => (i < textColumns ? text.padEnd(widths[i]) : text.padStart(widths[i]))
  const format = (line) => `| ${line.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i < textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [format(head), rule, ...lines.map(format)].join('\n')
}

/** Rows of the same key together, in the order of the first ones. */
export function grouped(rows, keyOf) {
  const groups = new Map()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return [...groups.values()]
}

function cell(row, own) {
  // A record of several runs: this one left the engine out.
  if (row === undefined) return ''
  if (row.medianMs === undefined) return row.status
  const time = `${doubt(row)}${digits(row.medianMs)}`
  if (row.engine.startsWith('ferrograph')) return time
  const ours = own.find(({ engine }) => engine === `ferrograph-${engines.get(row.engine).threads}`)
  return ours?.medianMs === undefined ? time : `${time} (${digits(row.medianMs / ours.medianMs, 2)} x)`
}

function doubt({ othersShare }) {
  return othersShare > disturbed ? '~' : ''
}

/** Three significant digits without an exponent. */
export function digits(value, significant = 3) {
  if (!(value > 0)) return String(value)
  const decimals = Math.max(0, significant - 1 - Math.floor(Math.log10(value)))
  return value.toFixed(decimals)
}
