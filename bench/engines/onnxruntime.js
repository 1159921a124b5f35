import ort from 'onnxruntime-node'
import { toOnnx } from '../onnx/convert.js'
import { Cannot } from './cannot.js'

/** onnxruntime-node, CPU, with a set number of threads. It has no training. */
export async function openOnnxRuntime(network, _workload, { threads }) {
  const session = await ort.InferenceSession.create(toOnnx(network), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  })
  return {
    async predict(data, batch) {
      const feeds = {}
      network.inputs.forEach(({ name, shape, dtype }, i) => {
        feeds[name] = new ort.Tensor(dtype, data[i], [batch, ...shape])
      })
      const results = await session.run(feeds)
      return network.outputs.map(({ name }) => results[name].data)
    },
    trainOnBatch() {
      throw new Cannot('onnxruntime-node does not train')
    },
  }
}
