import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { engines } from './engines/index.js'
import { askPython } from './python.js'
import { workloads } from './workloads/index.js'

const worker = fileURLToPath(new URL('worker.js', import.meta.url))
/** Far longer than the slowest case takes. */
const limitMs = 600_000

/**
 * Asks a worker process of its own, see `worker.js` and `python/worker.py`.
 *
 * @returns one result per case; if the process ends early, each says so in `failed`
 */
export function ask(request) {
  const engine = engines.get(request.engine)
  if (engine.python) return askPython({ ...request, workload: workloads.get(request.workload) }, engine)
  return new Promise((resolve) => {
    const failed = (reason) => resolve(request.cases.map(() => ({ failed: reason })))
    const child = fork(worker, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let lastWords = ''
    const timer = setTimeout(() => {
      failed(`no answer within ${limitMs / 1000} s`)
      child.kill('SIGKILL')
    }, limitMs)
    child.stderr.on('data', (text) => (lastWords = `${lastWords}${text}`.slice(-2000)))
    child.once('message', (answer) => (answer.results ? resolve(answer.results) : failed(answer.failed)))
    child.once('error', (error) => failed(error.message))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      failed(`the process ended with ${signal ?? `code ${code}`}: ${lastWords.trim()}`)
    })
    child.send(request)
  })
}
