// Serves predictions on the main thread or from worker threads, in a process of its own; see `serving.js`.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { engines } from './engines/index.js'
import { watchOthers } from './machine.js'
import { networkOf, workloads } from './workloads/index.js'

const outstanding = 16
const tickMs = 5

if (isMainThread)
  process.once('message', (request) => serve(request).then((result) => process.send(result, () => process.exit())))
else answerMessages(workerData)

async function open({ workload: name, engine }) {
  const workload = workloads.get(name)
  return engines.get(engine).open(networkOf(workload), workload)
}

async function answerMessages(request) {
  const engine = await open(request)
  parentPort.on('message', async ({ id, data }) => {
    const results = (await engine.predict(data, 1)).map((result) => result.slice())
    parentPort.postMessage(
      { id, results },
      results.map(({ buffer }) => buffer),
    )
  })
  parentPort.postMessage('ready', [])
}

async function serve(request) {
  const data = networkOf(workloads.get(request.workload)).data(1)
  const predict = request.workers === 0 ? await onThisThread(request) : await inWorkers(request)
  await Promise.all(Array.from({ length: 2 * outstanding }, () => predict(data)))
  let items = 0
  let longestGap = 0
  let last = performance.now()
  const tick = setInterval(() => {
    const now = performance.now()
    longestGap = Math.max(longestGap, now - last)
    last = now
  }, tickMs)
  const others = watchOthers()
  const begun = performance.now()
  const lane = async () => {
    while (performance.now() - begun < request.duration) {
      await predict(data)
      items++
    }
  }
  await Promise.all(Array.from({ length: outstanding }, lane))
  const elapsed = performance.now() - begun
  longestGap = Math.max(longestGap, performance.now() - last)
  clearInterval(tick)
  return { itemsPerSecond: (items * 1000) / elapsed, longestGap, others: others() }
}

async function onThisThread(request) {
  const engine = await open(request)
  return (data) => engine.predict(data, 1)
}

/** Requests go to the workers in turn; each takes a copy of its data along. */
async function inWorkers(request) {
  const waiting = new Map()
  const workers = await Promise.all(
    Array.from({ length: request.workers }, async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: request })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      worker.on('message', ({ id, results }) => {
        waiting.get(id)(results)
        waiting.delete(id)
      })
      return worker
    }),
  )
  let next = 0
  return (data) =>
    new Promise((resolve) => {
      const id = next++
      waiting.set(id, resolve)
      const copies = data.map((part) => part.slice())
      workers[id % workers.length].postMessage(
        { id, data: copies },
        copies.map(({ buffer }) => buffer),
      )
    })
}
