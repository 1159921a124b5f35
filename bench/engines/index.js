/**
 * The engines by name. `threads` is the number of threads that compute; engines are compared with ours at the same
 * number. Each is opened in a process of its own, so a module is loaded only where it is used. With `python` it is a module
 * of the folder `python/`.
 */
export const engines = new Map([
  ['ferrograph-1', { threads: 1, open: ferrograph({ threads: 1 }) }],
  ['ferrograph-2', { threads: 2, open: ferrograph({ threads: 2 }) }],
  ['ferrograph-async-1', { threads: 1, optional: true, open: ferrograph({ threads: 1, asynchronous: true }) }],
  ['ferrograph-async-2', { threads: 2, optional: true, open: ferrograph({ threads: 2, asynchronous: true }) }],
  ['ort-node-1', { threads: 1, open: onnxRuntime({ threads: 1 }) }],
  ['ort-node-2', { threads: 2, open: onnxRuntime({ threads: 2 }) }],
  ['ort-python-1', { threads: 1, python: 'onnxruntime' }],
  ['ort-python-2', { threads: 2, python: 'onnxruntime' }],
  ['torch-1', { threads: 1, python: 'torch' }],
  ['torch-2', { threads: 2, python: 'torch' }],
  ['keras-1', { threads: 1, python: 'keras' }],
  ['keras-2', { threads: 2, python: 'keras' }],
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
