import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const worker = fileURLToPath(new URL('worker.js', import.meta.url))
/** Far longer than the slowest case takes. */
const limitMs = 600_000

/**
 * Asks a worker process of its own, see `worker.js`.
 *
 * @returns one result per case; if the process ends early, each says so in `failed`
 */
export function ask(request) {
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
