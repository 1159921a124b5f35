// A fresh process that times import, load and first prediction of one library; see `starting.js`. It imports nothing
// before it is asked to.
process.once('message', async (request) => {
  const result = request.save === undefined ? await start(request) : await save(request)
  process.send(result, () => process.exit())
})

async function start({ library, file, input: { name, shape } }) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5)
  const begun = performance.now()
  const [imported, loaded] = await libraries[library](file, name, data, [1, ...shape])
  const predicted = performance.now()
  return {
    importMs: imported - begun,
    loadMs: loaded - imported,
    firstMs: predicted - loaded,
    totalMs: predicted - begun,
    residentMb: process.memoryUsage.rss() / 1e6,
  }
}

/** Each returns when its module was imported and when its model was loaded, after the first prediction. */
const libraries = {
  async ferrograph(file, _name, data, shape) {
    const { loadModel } = await import('../dist/index.js')
    const imported = performance.now()
    const model = await loadModel(file)
    const loaded = performance.now()
    model.predictSync({ data, shape }, { batchSize: 1 })
    return [imported, loaded]
  },

  async 'onnxruntime-node'(file, name, data, shape) {
    const { InferenceSession, Tensor } = await import('onnxruntime-node')
    const imported = performance.now()
    const session = await InferenceSession.create(file, { executionProviders: ['cpu'] })
    const loaded = performance.now()
    await session.run({ [name]: new Tensor('float32', data, shape) })
    return [imported, loaded]
  },
}

/** Writes the network of a workload as a `.keras` file. */
async function save({ workload, save: file }) {
  const { build } = await import('./engines/ferrograph.js')
  const { networkOf, workloads } = await import('./workloads/index.js')
  await build(networkOf(workloads.get(workload))).save(file)
  return {}
}
