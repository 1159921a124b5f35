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
