import { engines } from '../engines/index.js'

/** What readers know the workloads as, in the order of the table. */
const titles = new Map([
  ['mlp', 'MLP 784-512-512-10'],
  ['mnist-cnn', 'MNIST CNN, 32 and 64 filters'],
  ['digits-cnn', 'CNN of `npm run demo`'],
  ['toyresnet', 'residual net, 3 convolutions of 64'],
  ['vgg6', 'VGG-6 with BatchNormalization, 32 x 32'],
  ['mobilenetv2', 'MobileNetV2, 224 x 224'],
  ['resnet50', 'ResNet-50, 224 x 224'],
  ['lstm', 'Embedding + LSTM(32), 50 steps'],
  ['lstm256', 'Embedding + LSTM(256), 100 steps'],
  ['tickets', 'ticket model, two LSTMs'],
])

/** What readers know the engines as. */
const libraries = {
  'ort-node': 'ONNX Runtime (Node.js)',
  'ort-python': 'ONNX Runtime (Python)',
  torch: 'PyTorch',
  keras: 'Keras on TensorFlow',
  'tfjs-node': 'TensorFlow.js (native)',
  'tfjs-wasm': 'TensorFlow.js (wasm)',
  'tfjs-cpu': 'TensorFlow.js (plain)',
}

/**
 * The cases of a record in the order of the table: `{ title, call, threads: [{ threads, ours, best, peers }] }`, where a
 * peer is `{ name, ms, ratio }` and the best is the fastest, or `undefined` if none can. A peer with one thread only stands
 * beside ours with one.
 */
export function comparisons({ networks }) {
  const cases = new Map()
  for (const row of networks) {
    const key = `${row.workload} ${row.kind} ${row.batch}`
    cases.set(key, [...(cases.get(key) ?? []), row])
  }
  const order = [...titles.keys()]
  return [...cases.values()]
    .toSorted(([a], [b]) => order.indexOf(a.workload) - order.indexOf(b.workload))
    .map((rows) => {
      const [{ workload, kind, batch }] = rows
      const call = kind === 'train' ? `train step ${batch}` : `predict ${batch}`
      const threads = [1, 2].map((count) => compared(rows, count)).filter((each) => each !== undefined)
      return { title: titles.get(workload) ?? workload, call, threads }
    })
    .filter(({ threads }) => threads.length > 0)
}

function compared(rows, threads) {
  const timed = rows.filter(
    ({ engine, medianMs }) => medianMs !== undefined && engines.get(engine)?.threads === threads,
  )
  const ours = timed.find(({ engine }) => engine === `ferrograph-${threads}`)?.medianMs
  if (ours === undefined) return undefined
  const peers = timed
    .filter(({ engine }) => !engine.startsWith('ferrograph'))
    .map(({ engine, medianMs }) => ({
      name: libraries[engine.replace(/-\d+$/, '')] ?? engine,
      ms: medianMs,
      ratio: medianMs / ours,
    }))
    .toSorted((a, b) => a.ms - b.ms)
  return { threads, ours, best: peers[0], peers }
}
