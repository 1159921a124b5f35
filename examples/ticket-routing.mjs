// Three inputs, two outputs: how urgent a support ticket is, and which department should have it. The data is made up.
import { Input, Model, layers, ops, optimizers, setRandomSeed, tensor } from 'ferrograph'

const words = 500
const departments = 4
const count = 256
setRandomSeed(1)

const title = Input({ shape: [null], dtype: 'int32', name: 'title' })
const body = Input({ shape: [null], dtype: 'int32', name: 'body' })
const tags = Input({ shape: [12], name: 'tags' })
const embedding = layers.Embedding({ inputDim: words, outputDim: 16, maskZero: true }) // shared by title and body
const titleFeatures = layers.LSTM({ units: 16 })(embedding(title))
const bodyFeatures = layers.LSTM({ units: 16 })(embedding(body))
const x = layers.Concatenate()([titleFeatures, bodyFeatures, tags])
const model = Model({
  inputs: [title, body, tags],
  outputs: {
    priority: layers.Dense({ units: 1, activation: 'sigmoid' })(x),
    department: layers.Dense({ units: departments, activation: 'softmax' })(x),
  },
})
model.summary()

model.compile({
  optimizer: optimizers.RMSprop({ learningRate: 1e-2 }),
  loss: { priority: 'binary_crossentropy', department: 'categorical_crossentropy' },
  lossWeights: { priority: 1, department: 0.2 },
  metrics: { department: 'accuracy' },
})

// The first word of a title names its department; a tag says that it is urgent.
const wanted = Int32Array.from({ length: count }, (_, i) => i % departments)
const urgent = Float32Array.from({ length: count }, (_, i) => (i >> 2) % 2)
const data = {
  title: tensor(Int32Array.from({ length: count * 6 }, (_, i) => (i % 6 === 0 ? 1 + wanted[i / 6] : 10 + (i % 40))), [count, 6]),
  body: tensor(Int32Array.from({ length: count * 20 }, (_, i) => (i % 20 < 15 ? 50 + ((i * 7) % 400) : 0)), [count, 20]),
  tags: tensor(Float32Array.from({ length: count * 12 }, (_, i) => (i % 12 === 0 ? urgent[i / 12] : 0)), [count, 12]),
}
const targets = { priority: tensor(urgent, [count, 1]), department: ops.oneHot(wanted, departments) }
const { history } = await model.fit(data, targets, { epochs: 12, batchSize: 32, verbose: 2 })

const { priority, department } = await model.predict({ title: [[3, 12, 13]], body: [[60, 61, 62]], tags: [[1, ...Array(11).fill(0)]] })
console.log(`urgent: ${priority.item().toFixed(3)}, departments: ${[...department.data].map((p) => p.toFixed(3)).join(' ')}`)
if (history.department_accuracy.at(-1) < 0.95) process.exitCode = 1
