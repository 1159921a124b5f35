import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Seconds that all processes together have computed since the start of the machine; `undefined` outside Linux. */
function busySeconds() {
  try {
    const [user, nice, system, , , irq, softIrq, stolen] = readFileSync('/proc/stat', 'utf8')
      .split('\n', 1)[0]
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number)
    // The unit is USER_HZ, which Linux fixes at 100 on every platform that Node.js runs on.
    return (user + nice + system + irq + softIrq + stolen) / 100
  } catch {
    return undefined
  }
}

/** More than this share of the machine taken by other processes makes a time doubtful. */
export const disturbed = 0.1

/** How long a busy machine is waited for, and how long it must be quiet, in seconds. */
const patience = 120
const quietSeconds = 2

/** Waits until other processes leave the machine alone; says whether they did. */
export async function becameQuiet() {
  for (let waited = 0; waited < patience; waited += quietSeconds) {
    const others = watchOthers()
    await new Promise((resolve) => setTimeout(resolve, quietSeconds * 1000))
    if (!(others() > disturbed)) return true
  }
  return false
}

/**
 * Starts watching the machine. The function returned says which share of all processors, 0 to 1, other processes have
 * used since then, `undefined` where that cannot be known.
 */
export function watchOthers() {
  const busy = busySeconds()
  const own = process.cpuUsage()
  const begun = performance.now()
  return () => {
    const now = busySeconds()
    if (busy === undefined || now === undefined) return undefined
    const { user, system } = process.cpuUsage(own)
    const seconds = (performance.now() - begun) / 1000
    const share = (now - busy - (user + system) / 1e6) / (seconds * availableParallelism())
    return Math.min(1, Math.max(0, share))
  }
}
