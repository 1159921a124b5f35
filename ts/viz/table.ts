/** How a column stands. */
export type Alignment = 'left' | 'right' | 'center'

/** A column of a table. */
export interface Column {
  readonly header: string
  readonly alignment: Alignment
  /** Wanted width of the text, without the spaces beside it. */
  readonly width: number
}

/** Draws a table of exactly `width` characters with heavy lines around the header, as Keras's summaries have them. */
export function drawTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const widths = fitWidths(columns, width)
  const rule = (left: string, line: string, joint: string, right: string): string =>
    left + widths.map((w) => line.repeat(w)).join(joint) + right
  const lines = (cells: readonly string[], border: string): string[] => {
    const wrapped = columns.map((column, i) => wrapCell(cells[i] ?? '', (widths[i] as number) - 2, column.alignment))
    const height = Math.max(...wrapped.map((cell) => cell.length))
    return Array.from({ length: height }, (_, y) => {
      const parts = wrapped.map((cell, i) => ` ${cell[y] ?? ' '.repeat((widths[i] as number) - 2)} `)
      return border + parts.join(border) + border
    })
  }
  const body = rows.map((row) => lines(row, '│').join('\n'))
  return [
    rule('┏', '━', '┳', '┓'),
    ...lines(
      columns.map((column) => column.header),
      '┃',
    ),
    rule('┡', '━', '╇', '┩'),
    body.join(`\n${rule('├', '─', '┼', '┤')}\n`),
    rule('└', '─', '┴', '┘'),
  ].join('\n')
}

/** The columns' widths with the spaces beside the text, reduced evenly where the table would be too wide. */
function fitWidths(columns: readonly Column[], width: number): number[] {
  const widths = columns.map((column) => column.width + 2)
  let excess = widths.reduce((a, b) => a + b, 0) - (width - columns.length - 1)
  if (excess <= 0) return widths
  return widths.map((w, i) => {
    const share = Math.min(w, roundHalfEven(excess / (columns.length - i)))
    excess -= share
    return w - share
  })
}

/** Python's `round`. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** The lines of a cell: broken between words; a word that is too long ends in an ellipsis. */
function wrapCell(text: string, width: number, alignment: Alignment): string[] {
  const lines: string[] = ['']
  for (const word of text.match(/\s*\S+\s*/g) ?? ['']) {
    const current = lines[lines.length - 1] as string
    const fits = width - current.length >= word.trimEnd().length
    if (fits || current === '') lines[lines.length - 1] = current + word
    else lines.push(word)
  }
  return lines.map((line) => align(line.length > width ? line.trimEnd() : line, width, alignment))
}

function align(line: string, width: number, alignment: Alignment): string {
  const text = alignment === 'left' ? line : line.trimEnd()
  if (text.length > width) return `${text.slice(0, width - 1)}…`
  if (alignment === 'left') return text.padEnd(width)
  if (alignment === 'right') return text.padStart(width)
  return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width)
}
