import type { Logs } from './callback.ts'

const width = 20

/** How far a pass has come. */
export interface Progress {
  readonly step: number
  /** The last step, where it is known. */
  readonly steps: number | undefined
  /** Since the pass began. */
  readonly seconds: number
  readonly secondsPerStep: number
  readonly finished: boolean
  readonly logs: Logs
}

/** How a line may look. */
export interface LineStyle {
  readonly bar: boolean
  readonly color: boolean
}

/** One line about a pass, as Keras writes it: `12/20 ━━━━ 1s 40ms/step - accuracy: 0.9000 - loss: 0.2500`. */
export function progressLine(progress: Progress, style: LineStyle): string {
  const { step, steps, finished, seconds, secondsPerStep, logs } = progress
  const count =
    steps === undefined
      ? `${String(step).padStart(7)}/Unknown`
      : `${String(step).padStart(String(steps).length)}/${steps}`
  const bar = style.bar && steps !== undefined ? ` ${drawnBar(step / steps, style.color)}` : style.bar ? '' : ' -'
  const left = finished || steps === undefined ? `${Math.round(seconds)}s` : remaining(secondsPerStep * (steps - step))
  const values = Object.entries(logs).map(([name, value]) => ` - ${name}: ${formatValue(value)}`)
  return `${paint(count, '1', style)}${bar} ${paint(left, '1', style)}${style.bar ? '' : ' -'} ${perStep(secondsPerStep)}${values.join('')}`
}

function paint(text: string, code: string, { color }: { readonly color: boolean }): string {
  return color ? `\x1b[${code}m${text}\x1b[0m` : text
}

function drawnBar(share: number, color: boolean): string {
  const done = Math.min(width, Math.floor(width * share))
  const rest = color ? '━' : '─'
  return `${done > 0 ? paint('━'.repeat(done), '32', { color }) : ''}${paint(rest.repeat(width - done), '37', { color })}`
}

function remaining(seconds: number): string {
  const whole = Math.floor(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (whole > 3600) return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`
  return whole > 60 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` : `${whole}s`
}

function perStep(seconds: number): string {
  if (seconds >= 1 || seconds === 0) return `${Math.round(seconds)}s/step`
  return seconds >= 1e-3 ? `${Math.round(seconds * 1e3)}ms/step` : `${Math.round(seconds * 1e6)}us/step`
}

/** Four decimals, or four decimals and an exponent where the value is small. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Math.abs(value) > 1e-3) return value.toFixed(4)
  return value.toExponential(4).replace(/e([+-])(\d)$/, 'e$10$2')
}
