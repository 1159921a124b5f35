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
      const input = new ort.Tensor(network.dtype, data, [batch, ...network.inputShape])
      const { output } = await session.run({ input })
      return output.data
    },
    trainOnBatch() {
      throw new Cannot('onnxruntime-node does not train')
    },
  }
}
