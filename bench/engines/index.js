/**
 * The engines by name. `threads` is the number of threads that compute; engines are compared with ours at the same
 * number. Each is opened in a process of its own, so a module is loaded only where it is used.
 */
export const engines = new Map([
  ['ferrograph-1', { threads: 1, open: ferrograph({ threads: 1 }) }],
  ['ferrograph-2', { threads: 2, open: ferrograph({ threads: 2 }) }],
  ['ferrograph-async-1', { threads: 1, optional: true, open: ferrograph({ threads: 1, asynchronous: true }) }],
  ['ferrograph-async-2', { threads: 2, optional: true, open: ferrograph({ threads: 2, asynchronous: true }) }],
  ['ort-node-1', { threads: 1, open: onnxRuntime({ threads: 1 }) }],
  ['ort-node-2', { threads: 2, open: onnxRuntime({ threads: 2 }) }],
  ['tfjs-wasm', { threads: 1, open: tfjs({ backend: 'wasm' }) }],
  ['tfjs-cpu', { threads: 1, open: tfjs({ backend: 'cpu' }) }],
])

function ferrograph(options) {
  return async (network, workload) => (await import('./ferrograph.js')).openFerrograph(network, workload, options)
}

function onnxRuntime(options) {
  return async (network, workload) => (await import('./onnxruntime.js')).openOnnxRuntime(network, workload, options)
}

function tfjs(options) {
  return async (network, workload) => (await import('./tfjs.js')).openTfjs(network, workload, options)
}
