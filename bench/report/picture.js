import { digits } from '../table.js'

const rowHeight = 20
const [left, right, top, bottom] = [350, 40, 64, 36]
const width = 880
const ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]

/**
 * An SVG of the ratios: a line per case that a peer can do, a dot for each number of threads at the fastest peer's time divided by ours, and
 * small rings for the other peers. Readable on light and dark ground.
 */
export function picture({ processor, cores }, cases) {
  const rows = cases.filter(({ threads }) => threads.some(({ best }) => best !== undefined))
  const all = rows.flatMap(({ threads }) => threads.flatMap(({ best }) => (best ? [best.ratio] : [])))
  const lowest = Math.max(...ticks.filter((tick) => tick <= Math.min(0.5, ...all)), ticks[0])
  const highest = Math.min(...ticks.filter((tick) => tick >= Math.max(4, ...all)), ticks.at(-1))
  const x = (ratio) => {
    const share = Math.log(ratio / lowest) / Math.log(highest / lowest)
    return (left + Math.min(1, Math.max(0, share)) * (width - left - right)).toFixed(1)
  }
  const height = top + rows.length * rowHeight + bottom
  const foot = height - bottom
  const shown = ticks.filter((tick) => tick >= lowest && tick <= highest)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">How many times as long as Ferrograph other libraries take, per network and call</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .faint { fill: #666 }
  .grid { stroke: #8883 }
  .one { stroke: #333; stroke-width: 1.5 }
  .first { fill: #1f6feb }
  .second { fill: #d9730d }
  .other { fill: none; stroke: #888a }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .faint { fill: #aaa }
    .one { stroke: #ddd }
    .first { fill: #58a6ff }
    .second { fill: #f0a050 }
  }
</style>
<text x="8" y="20" font-weight="bold">Time of the fastest other library, divided by Ferrograph's</text>
<text x="8" y="38" class="faint">${escaped(processor.replaceAll(/\((?:R|TM|C)\)/gi, ''))}, ${cores} cores; right of the line Ferrograph is faster</text>
<circle cx="${left + 140}" cy="34" r="5" class="first"/><text x="${left + 150}" y="38">1 thread</text>
<circle cx="${left + 220}" cy="34" r="5" class="second"/><text x="${left + 230}" y="38">2 threads</text>
<circle cx="${left + 310}" cy="34" r="3" class="other"/><text x="${left + 320}" y="38">other libraries</text>
${shown.map((tick) => `<line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 8}" y2="${foot}" class="${tick === 1 ? 'one' : 'grid'}"/><text x="${x(tick)}" y="${foot + 18}" text-anchor="middle">${tick}</text>`).join('\n')}
${rows.map((row, i) => line(row, top + i * rowHeight + rowHeight / 2, i > 0 && rows[i - 1].title === row.title, x, highest)).join('\n')}
</svg>
`
}

function line({ title, call, threads }, y, known, x, highest) {
  const parts = [`<text x="${left - 12}" y="${y + 4}" text-anchor="end">${escaped(call)}</text>`]
  if (!known) parts.push(`<text x="8" y="${y + 4}">${escaped(title.replaceAll('`', ''))}</text>`)
  for (const { peers } of threads) {
    for (const { ratio, name } of peers.slice(1).filter((peer) => peer.ratio <= highest)) {
      parts.push(
        `<circle cx="${x(ratio)}" cy="${y}" r="3" class="other"><title>${escaped(name)}: ${digits(ratio, 2)}</title></circle>`,
      )
    }
  }
  for (const each of threads.filter(({ best }) => best !== undefined)) {
    const { name, ratio } = each.best
    const tip = `${each.threads} thread${each.threads > 1 ? 's' : ''}, ${name}: ${digits(ratio, 2)}`
    if (ratio > highest)
      parts.push(`<text x="${x(ratio) - 10}" y="${y + 4}" text-anchor="end">${digits(ratio, 2)}</text>`)
    parts.push(
      `<circle cx="${x(ratio)}" cy="${y}" r="5" class="${each.threads === 1 ? 'first' : 'second'}"><title>${escaped(tip)}</title></circle>`,
    )
  }
  return parts.join('')
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
