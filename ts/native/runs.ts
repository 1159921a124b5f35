import { addon, type NativeCancellation, type NativeProgram, type NativeRuns, type Operand, type Outputs } from './addon.ts'

interface Waiting {
  readonly resolve: (outputs: Outputs) => void
  readonly reject: (error: unknown) => void
}

const underWay = new Map<number, Waiting>()
let runs: NativeRuns | undefined
let last = 0

/** Runs a program on the library's own threads; typed arrays are copied before this returns. */
export function runOnPool(
  program: NativeProgram,
  inputs: readonly Operand[],
  shapes: readonly (readonly number[])[],
  token?: NativeCancellation,
): Promise<Outputs> {
  runs ??= new addon.NativeRuns(settle)
  // The numbers of runs under way differ, however many there have been.
  last = (last + 1) % Number.MAX_SAFE_INTEGER
  const number = last
  runs.begin(number, program, inputs, shapes, token)
  return new Promise((resolve, reject) => underWay.set(number, { resolve, reject }))
}

/** Settles the promises of all runs that have ended, and looks again at the next turn of the event loop. */
function settle(): void {
  const ended = (runs as NativeRuns).fetch()
  if (ended.length === 0) return
  setImmediate(settle)
  for (let i = 0; i < ended.length; i += 2) {
    const [number, outcome] = [ended[i] as number, ended[i + 1]]
    const { resolve, reject } = underWay.get(number) as Waiting
    underWay.delete(number)
    if (Array.isArray(outcome)) resolve(outcome)
    else reject(outcome)
  }
}
