import { readdirSync } from 'node:fs'
import { Network } from '../network.js'

/**
 * Every other file of this folder is a workload:
 * - `name`, and `network(net)`, which records the network and returns its output
 * - `loss`, as Keras writes it, or an array with one for each output; none where nothing is trained
 * - `predict` and `train`: batch sizes
 * - `gain` (optional), see `Network`
 * - `largest` (optional): `{ engine: { predict?, train? } }`, the largest batch that an engine does in bearable time
 */
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.js') && file !== 'index.js')
const modules = await Promise.all(files.toSorted().map((file) => import(`./${file}`)))

export const workloads = new Map(modules.map(({ default: workload }) => [workload.name, workload]))

export function networkOf(workload) {
  return new Network(workload.name, workload.network, workload)
}

/** The cases of a workload as `{ kind, batch }`. */
export function casesOf(workload) {
  return ['predict', 'train'].flatMap((kind) => workload[kind].map((batch) => ({ kind, batch })))
}
