// Writes from a record the main table in the project's README, a page with all tables, and the picture of the ratios:
// node report.js [record.json]; without it, the record of this processor
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { usualRecord } from './record.js'
import { comparisons } from './report/comparisons.js'
import { picture } from './report/picture.js'
import { mainTable, page } from './report/tables.js'

const project = join(import.meta.dirname, '..')
const [begin, end] = ['<!-- bench: begin, written by bench/report.js -->', '<!-- bench: end -->']

report(process.argv[2] === undefined ? usualRecord() : resolve(process.argv[2]))

/** Writes README.md, and the picture and all tables beside the record, whose name they have. */
function report(file) {
  const record = JSON.parse(readFileSync(file, 'utf8'))
  const rows = comparisons(record)
  writeFileSync(file.replace(/\.json$/, '.svg'), picture(record, rows))
  writeFileSync(file.replace(/\.json$/, '.md'), page(record))
  const readme = join(project, 'README.md')
  const text = readFileSync(readme, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`README.md: expected the lines '${begin}' and '${end}'`)
  writeFileSync(readme, `${before}${begin}\n\n${mainTable(record, rows, basename(file, '.json'))}\n\n${end}${after}`)
}
