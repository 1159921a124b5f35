// One engine on one workload, in a process of its own: answers one request of the parent and ends.
import { Cannot } from './engines/cannot.js'
import { engines } from './engines/index.js'
import { watchOthers } from './machine.js'
import { measure } from './measure.js'
import { networkOf, workloads } from './workloads/index.js'

/** Losses of consecutive steps that are compared: the last is the loss after three updates. */
const checkedSteps = 4
/** A slow engine stops after fewer steps, but not before the first update. */
const checkMs = 20_000

process.once('message', async (request) => {
  const results = await answer(request).catch((error) => ({ failed: messageOf(error) }))
  process.send(results, () => process.exit())
})

/** One result per case: numbers to compare or times, or why there are none (`cannot`, `failed`). */
async function answer({ task, workload: workloadName, engine: engineName, cases, budget }) {
  const workload = workloads.get(workloadName)
  const network = networkOf(workload)
  const results = []
  for (const { kind, batch } of cases) {
    try {
      // A fresh model, since a training case changes the weights.
      const engine = await engines.get(engineName).open(network, workload)
      const call = callOf(engine, network, kind, batch)
      results.push(task === 'check' ? await check(call, kind) : await measure(call, budget))
    } catch (error) {
      results.push(error instanceof Cannot ? { cannot: error.message } : { failed: messageOf(error) })
    }
  }
  return { results }
}

function callOf(engine, network, kind, batch) {
  const data = network.data(batch)
  if (kind === 'predict') return () => engine.predict(data, batch)
  const targets = network.targets(batch)
  return () => engine.trainOnBatch(data, targets, batch)
}

/** The predictions, or the losses of the first steps, as `values`, and the `time` of the last call. */
async function check(call, kind) {
  if (kind === 'predict') {
    const { result, time } = await once(call)
    return { values: Float32Array.from(result.flatMap((output) => [...output])), time }
  }
  const losses = []
  const end = performance.now() + checkMs
  let last
  while (losses.length < checkedSteps && (losses.length < 2 || performance.now() < end)) {
    last = await once(call)
    losses.push(lossOf(last.result))
  }
  return { values: Float32Array.from(losses), time: last.time }
}

async function once(call) {
  const others = watchOthers()
  const begun = performance.now()
  const result = await call()
  const elapsed = performance.now() - begun
  return { result, time: { median: elapsed, least: elapsed, calls: 1, others: others() } }
}

/** Engines return the loss as a number, first of a list, or under its name. */
function lossOf(result) {
  if (typeof result === 'number') return result
  return Array.isArray(result) ? result[0] : result.loss
}

function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}
