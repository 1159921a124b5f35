import { curveTable, digits, kernelTable, networkTable, servingTable, startingTable } from '../table.js'

/** The main table and the picture as Markdown. */
export function mainTable(record, rows, name) {
  const lines = rows.map(({ title, call, threads }, i) => {
    const known = i > 0 && rows[i - 1].title === title
    const cells = [1, 2].flatMap((count) => cellsOf(threads.find((each) => each.threads === count)))
    return `| ${[known ? '' : title, call, ...cells].join(' | ')} |`
  })
  return [
    `![How many times as long as Ferrograph the fastest other library takes](bench/record/${name}.svg)`,
    '',
    `Milliseconds per call on ${machine(record)},`,
    'with the fastest other library at as many threads and, in bold, its time divided by ours.',
    `All libraries are in [the tables](bench/record/${name}.md) and [the record](bench/record/${name}.json).`,
    '',
    '| network | | 1 thread | fastest other | | 2 threads | fastest other | |',
    '|---|---|--:|---|--:|--:|---|--:|',
    ...lines,
    ...others(rows),
    ...serving(record),
    ...starting(record),
  ].join('\n')
}

/** All tables of a record as a page. */
export function page(record) {
  const parts = [
    ['Networks', networkTable(record.networks)],
    ['Sizes of batches and numbers of threads', record.curves.length > 0 && curveTable(record.curves)],
    ['Serving', record.serving.length > 0 && servingTable(record.serving)],
    ['Starting', record.starting.length > 0 && startingTable(record.starting)],
    ['Kernels', record.kernels.length > 0 && kernelTable(record.kernels, record.peakGflops)],
  ]
  const versions = Object.entries(record.versions).map(([name, version]) => `${name} ${version}`)
  const head = `# ${machine(record)}\n\nMeasured on ${record.date} with ${versions.join(', ')}.`
  return `${[head, ...parts.filter(([, text]) => text).map(([title, text]) => `## ${title}\n\n${text}`)].join('\n\n')}\n`
}

function cellsOf(each) {
  if (each === undefined) return ['', '', '']
  const { ours, best } = each
  if (best === undefined) return [digits(ours), 'none', '']
  return [digits(ours), `${digits(best.ms)} ${best.name}`, `**${digits(best.ratio, 2)}**`]
}

function machine({ processor, cores, versions, peakGflops }) {
  const clean = processor.replaceAll(/\((?:R|TM|C)\)/gi, '')
  const peak = peakGflops === undefined ? '' : ` (a core multiplies and adds at ${digits(peakGflops)} GFLOP/s)`
  return `${clean}, ${cores} cores${peak}, Node.js ${versions.node}`
}

/** How the slower peers compare, which the table does not name. */
function others(rows) {
  const named = ['TensorFlow.js (wasm)', 'TensorFlow.js (plain)'].flatMap((name) => {
    const ratios = rows.flatMap(({ threads: [first] }) =>
      first.peers.filter((peer) => peer.name === name).map(({ ratio }) => ratio),
    )
    if (ratios.length === 0) return []
    return `${name} takes ${digits(Math.min(...ratios), 2)} to ${digits(Math.max(...ratios), 2)} times as long where it can`
  })
  return named.length === 0 ? [] : ['', `On one thread, ${named.join(', ')}.`]
}

const workloads = { mlp: 'MLP', mobilenetv2: 'MobileNetV2', lstm: 'LSTM(32)' }

function serving({ serving: rows }) {
  const lines = rows
    .filter(({ library }) => library.startsWith('ferrograph'))
    .map(({ workload, itemsPerSecond, longestGapMs }) => {
      const best = rows
        .filter((row) => row.workload === workload && !row.library.startsWith('ferrograph'))
        .toSorted((a, b) => b.itemsPerSecond - a.itemsPerSecond)[0]
      const beside =
        best === undefined
          ? ['', '']
          : [`${whole(best.itemsPerSecond)} ${place(best)}`, `**${digits(itemsPerSecond / best.itemsPerSecond, 2)}**`]
      return `| ${[workloads[workload] ?? workload, whole(itemsPerSecond), ...beside, digits(longestGapMs, 2)].join(' | ')} |`
    })
  if (lines.length === 0) return []
  return [
    '',
    'Sixteen outstanding predictions of one row each: items per second, and the longest time that a timer of 5 ms on the main',
    'thread had to wait.',
    '',
    '| serving | Ferrograph, main thread | onnxruntime-node at its best | | longest wait, ms |',
    '|---|--:|--:|--:|--:|',
    ...lines,
  ]
}

function place({ workers, threads }) {
  if (workers > 0) return `(${workers} worker${workers > 1 ? 's' : ''})`
  return `(main thread, ${threads} thread${threads > 1 ? 's' : ''})`
}

function starting({ starting: rows }) {
  const [ours, theirs] = ['ferrograph', 'onnxruntime-node'].map((library) =>
    rows.find((row) => row.library === library && row.workload === 'mlp'),
  )
  if (ours === undefined || theirs === undefined) return []
  const words = ({ totalMs, residentMb }) => `${digits(totalMs, 2)} ms and ${digits(residentMb, 2)} MB`
  return ['', `Import, load and first prediction of the MLP: ${words(ours)}; onnxruntime-node: ${words(theirs)}.`]
}

function whole(value) {
  return Math.round(value).toLocaleString('en')
}
