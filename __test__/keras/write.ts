// Writes models with their predictions, and with what two more training steps make of them, for real Keras to load.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Input, Model, Sequential, layers, loadModel, ops, optimizers, setRandomSeed, tensor, type Structure, type Tensor } from '../../ts/index.ts'
import { encode, encodeAll } from '../helpers/golden.ts'

const folder = process.argv[2]
if (!folder) throw new Error('usage: write.ts FOLDER')
setRandomSeed(11)

let seed = 1
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}
const normal = (...shape: number[]): Tensor =>
  tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random() + random() + random() - 1.5) * 2), shape)
const integers = (below: number, ...shape: number[]): Tensor =>
  tensor(Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.floor(random() * below)), shape)

interface Case {
  readonly model: Model
  readonly x: Structure<Tensor>
  readonly y?: Structure<Tensor>
}

function sequential(): Case {
  const model = new Sequential({
    name: 'plain_stack',
    layers: [Input({ shape: [6] }), layers.Dense({ units: 8, activation: 'relu' }), layers.Dropout({ rate: 0 }), layers.Dense({ units: 3, activation: 'softmax' })],
  })
  model.compile({ optimizer: optimizers.SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true }), loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] })
  return { model, x: normal(16, 6), y: integers(3, 16) }
}

function convolutional(): Case {
  const image = Input({ shape: [8, 8, 2], name: 'image' })
  let x = layers.Conv2D({ filters: 6, kernelSize: 3, padding: 'same', strides: 2, useBias: false })(image)
  x = layers.BatchNormalization()(x)
  const skip = layers.ReLU()(x)
  x = layers.Conv2D({ filters: 6, kernelSize: [3, 2], padding: 'same', activation: 'relu', kernelRegularizer: 'l2' })(skip)
  x = layers.Add()([x, skip])
  x = layers.AveragePooling2D({ poolSize: 2 })(x)
  x = layers.Flatten()(x)
  const model = Model({ inputs: image, outputs: layers.Dense({ units: 4, activation: 'softmax' })(x), name: 'skips' })
  model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' })
  return { model, x: normal(12, 8, 8, 2), y: integers(4, 12) }
}

function recurrent(): Case {
  const text = Input({ shape: [null], dtype: 'int32', name: 'text' })
  let x = layers.Embedding({ inputDim: 12, outputDim: 5, maskZero: true })(text)
  x = layers.LSTM({ units: 6, returnSequences: true })(x)
  x = layers.LSTM({ units: 4, goBackwards: true })(x)
  const model = Model({ inputs: text, outputs: layers.Dense({ units: 1, activation: 'sigmoid' })(x), name: 'reader' })
  model.compile({ optimizer: optimizers.RMSprop({ learningRate: 0.01, centered: true, momentum: 0.5 }), loss: 'binary_crossentropy', metrics: ['accuracy'] })
  return { model, x: integers(12, 10, 7), y: integers(2, 10, 1) }
}

function twoHeads(): Case {
  const a = Input({ shape: [4], name: 'a' })
  const b = Input({ shape: [4], name: 'b' })
  const shared = layers.Dense({ units: 5, activation: 'tanh', name: 'shared' })
  const inner = Input({ shape: [5], name: 'inner' })
  const encoder = Model({ inputs: inner, outputs: layers.Dense({ units: 3, activation: 'relu' })(inner), name: 'encoder' })
  const left = encoder(ops.multiply(shared(a), 2))
  const right = encoder(ops.add(shared(b), 0.5))
  const both = layers.Concatenate()([left, right])
  const model = Model({
    inputs: { a, b },
    outputs: { score: layers.Dense({ units: 1, name: 'score' })(both), kind: layers.Dense({ units: 3, activation: 'softmax', name: 'kind' })(both) },
    name: 'two_heads',
  })
  model.compile({
    optimizer: optimizers.AdamW({ learningRate: 0.01, weightDecay: 0.01, clipnorm: 1 }),
    loss: { score: 'mse', kind: 'categorical_crossentropy' },
    lossWeights: { score: 1, kind: 0.5 },
  })
  const oneHot = ops.oneHot(integers(3, 14), 3) as Tensor
  return { model, x: { a: normal(14, 4), b: normal(14, 4) }, y: { score: normal(14, 1), kind: oneHot } }
}

function uncompiled(): Case {
  const x = Input({ shape: [3, 4] })
  let y = layers.Reshape({ targetShape: [4, 3] })(x)
  y = layers.Dense({ units: 2, activation: 'gelu' })(y)
  y = layers.Softmax({ axis: 1 })(y)
  const model = Model({ inputs: x, outputs: [layers.Flatten()(y), layers.GlobalAveragePooling2D({ keepdims: true })(layers.Reshape({ targetShape: [4, 2, 1] })(y))], name: 'uncompiled' })
  return { model, x: normal(5, 3, 4) }
}

const batchSize = 4
for (const make of [sequential, convolutional, recurrent, twoHeads, uncompiled]) {
  const { model, x, y } = make()
  const options = { batchSize, epochs: 1, shuffle: false, verbose: 0 as const }
  // A first epoch, so that the optimizer has a state worth keeping.
  if (y) await model.fit(x, y, options)
  const path = join(folder, `${model.name}.keras`)
  await model.save(path)
  const prediction = encodeAll(await model.predict(x, { verbose: 0 }))
  const again = await loadModel(path)
  const resume = y && { x: encodeAll(x), y: encodeAll(y), batch_size: batchSize, steps: Math.ceil(firstOf(x).shape[0]! / batchSize), ...(await goOn(again, x, y, options)) }
  writeFileSync(join(folder, `${model.name}.json`), JSON.stringify({ x: encodeAll(x), y: prediction, ...(resume ? { resume } : {}) }))
}
console.log('0 passed, 0 failed')

async function goOn(model: Model, x: Structure<Tensor>, y: Structure<Tensor>, options: { batchSize: number; epochs: number; shuffle: boolean; verbose: 0 }): Promise<object> {
  const { history } = await model.fit(x, y, options)
  return { history, final_weights: model.weights.map((variable) => ({ path: variable.path, tensor: encode(variable.read()) })) }
}

function firstOf(x: Structure<Tensor>): Tensor {
  return (x as Tensor).shape ? (x as Tensor) : (Object.values(x)[0] as Tensor)
}
