import { availableParallelism } from 'node:os'
import { tfjsNodeFolder } from './tfjs-node-folder.js'

/** Numbers of threads that engines come with: 1 and 2, and powers of two up to the number of processors. */
export const threadCounts = [1, 2]
while (threadCounts.at(-1) * 2 <= availableParallelism()) threadCounts.push(threadCounts.at(-1) * 2)

/**
 * The engines by name. `threads` is the number of threads that compute; engines are compared with ours at the same
 * number. Each is opened in a process of its own, so a module is loaded only where it is used. With `python` it is a module
 * of the folder `python/`. `optional` ones run only when they are named.
 */
export const engines = new Map([
  ...perThreads('ferrograph', (threads) => ({ open: ferrograph({ threads }) })),
  ...perThreads('ferrograph-async', (threads) => ({
    optional: true,
    open: ferrograph({ threads, asynchronous: true }),
  })),
  ...perThreads('ort-node', (threads) => ({ open: onnxRuntime({ threads }) })),
  ...perThreads('ort-python', () => ({ python: 'onnxruntime' })),
  ...perThreads('torch', () => ({ python: 'torch' })),
  ...perThreads('keras', () => ({ python: 'keras' })),
  ...perThreads('tfjs-node', (threads) => ({
    optional: tfjsNodeFolder === undefined,
    open: tfjs({ backend: 'tensorflow', threads }),
  })),
  ['tfjs-wasm', { threads: 1, open: tfjs({ backend: 'wasm' }) }],
  ['tfjs-cpu', { threads: 1, open: tfjs({ backend: 'cpu' }) }],
])

function perThreads(name, make) {
  return threadCounts.map((threads) => {
    const engine = make(threads)
    return [`${name}-${threads}`, { ...engine, optional: engine.optional || threads > 2, threads }]
  })
}

function ferrograph(options) {
  return async (network, workload) => (await import('./ferrograph.js')).openFerrograph(network, workload, options)
}

function onnxRuntime(options) {
  return async (network, workload) => (await import('./onnxruntime.js')).openOnnxRuntime(network, workload, options)
}

function tfjs(options) {
  return async (network, workload) => (await import('./tfjs.js')).openTfjs(network, workload, options)
}
