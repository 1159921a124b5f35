// Times functions of one number in onnxruntime-node, one thread, and sends nanoseconds per element by the function's name.
import ort from 'onnxruntime-node'
import { median } from '../measure.js'
import { GraphWriter } from './graph-writer.js'

/** As many elements as stay in a second-level cache with their results. */
const elements = 32_768
/** One call computes a chain of so many functions, so that the call itself does not count. */
const links = 32
const samples = 60

/** Operators of ONNX, between which a negation, whose time is subtracted, keeps the numbers from growing. */
const functions = { exp: 'Exp', tanh: 'Tanh', sigmoid: 'Sigmoid', erf: 'Erf' }

const chains = { negation: await open('Neg') }
for (const [name, operator] of Object.entries(functions)) chains[name] = await open(operator)

const times = Object.fromEntries(Object.keys(chains).map((name) => [name, []]))
const x = {
  x: new ort.Tensor(
    'float32',
    Float32Array.from({ length: elements }, (_, i) => (i / elements) * 2 - 1),
    [elements],
  ),
}
for (let i = 0; i < samples; i++) {
  for (const [name, session] of Object.entries(chains)) {
    const begun = performance.now()
    await session.run(x)
    times[name].push(performance.now() - begun)
  }
}
const middle = (name) => median(times[name].toSorted((a, b) => a - b))
const perElement = (name) => ((middle(name) - middle('negation') / 2) * 1e6) / (links * elements)
process.send(Object.fromEntries(Object.keys(functions).map((name) => [name, perElement(name)])), () => process.exit())

/** A chain of links, each the operator and a negation. */
function open(operator) {
  const graph = new GraphWriter()
  let value = 'x'
  for (let i = 0; i < links; i++) value = graph.node('Neg', [graph.node(operator, [value])])
  const part = { dtype: 'float32', shape: [] }
  const model = graph.finish('functions', [{ name: 'x', ...part }], [{ name: 'y', ...part, value }])
  // Without optimization, which would remove two negations in a row.
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, graphOptimizationLevel: 'disabled' }
  return ort.InferenceSession.create(model, options)
}
