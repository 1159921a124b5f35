// Trains a small convolutional network on real handwritten digits, saves it, loads it again and compares.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Input, Model, layers, loadModel, setRandomSeed, tensor } from 'ferrograph'

const held = 360
const { images, labels, count } = readDigits()
const train = shifted(images, labels, count - held)
const test = { x: rows(images, count - held, count), y: labels.subarray(count - held) }

setRandomSeed(7)
const image = Input({ shape: [8, 8, 1], name: 'image' })
let x = layers.Conv2D({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' })(image)
x = layers.BatchNormalization()(x)
x = layers.Conv2D({ filters: 64, kernelSize: 3, activation: 'relu' })(x)
x = layers.MaxPooling2D({ poolSize: 2 })(x)
x = layers.Flatten()(x)
x = layers.Dropout({ rate: 0.4 })(x)
const digit = layers.Dense({ units: 10, activation: 'softmax', name: 'digit' })(x)
const model = Model({ inputs: image, outputs: digit, name: 'digits' })
model.summary()

model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] })
const epochs = 16
const begun = performance.now()
await model.fit(train.x, train.y, { epochs, batchSize: 64, validationData: [test.x, test.y] })
const seconds = (performance.now() - begun) / 1000

const scores = await model.evaluate(test.x, test.y, { verbose: 0 })
console.log(`\nTest accuracy on ${held} digits held out: ${scores.accuracy.toFixed(4)}`)

const probabilities = await model.predict(test.x, { verbose: 0 })
showMistakes(probabilities.data)

const file = new URL('../digits.keras', import.meta.url)
await model.save(file)
const again = await loadModel(file)
const repeated = await again.predict(test.x, { verbose: 0 })
const same = Buffer.from(probabilities.data.buffer).equals(Buffer.from(repeated.data.buffer))
console.log(`Loaded again from ${fileURLToPath(file)}: ${same ? 'predicts the same bits' : 'PREDICTIONS DIFFER'}`)
console.log(`Trained on ${Math.round((train.y.length * epochs) / seconds).toLocaleString('en-US')} samples per second`)
if (!same || scores.accuracy < 0.97) process.exitCode = 1

/** The rows of the data file: 64 pixels, 0 to 16, and the label. */
function readDigits() {
  const text = readFileSync(new URL('data/digits.csv', import.meta.url), 'utf8')
  const lines = text.trim().split('\n').slice(1)
  const images = new Float32Array(lines.length * 64)
  const labels = new Int32Array(lines.length)
  lines.forEach((line, i) => {
    const values = line.split(',').map(Number)
    images.set(values.slice(0, 64).map((pixel) => pixel / 16), i * 64)
    labels[i] = values[64]
  })
  return { images, labels, count: lines.length }
}

/** Digits `from` to `to` as one tensor. */
function rows(images, from, to) {
  return tensor(images.subarray(from * 64, to * 64), [to - from, 8, 8, 1])
}

/** The first digits five times: as they are, and moved by one pixel each way, since nobody writes in the same place. */
function shifted(images, labels, digits) {
  const moves = [0, 1, -1, 8, -8]
  const x = new Float32Array(digits * moves.length * 64)
  const y = new Int32Array(digits * moves.length)
  moves.forEach((move, m) => {
    for (let i = 0; i < digits; i++) {
      const to = (m * digits + i) * 64
      for (let pixel = 0; pixel < 64; pixel++) {
        const from = pixel - move
        const sameRow = Math.abs(move) === 8 || (from >> 3) === (pixel >> 3)
        if (from >= 0 && from < 64 && sameRow) x[to + pixel] = images[i * 64 + from]
      }
      y[m * digits + i] = labels[i]
    }
  })
  return { x: tensor(x, [y.length, 8, 8, 1]), y }
}

/** Prints up to three digits that the model takes for others. */
function showMistakes(probabilities) {
  const guess = (i) => {
    const row = probabilities.subarray(i * 10, i * 10 + 10)
    return row.indexOf(Math.max(...row))
  }
  const wrong = Array.from({ length: held }, (_, i) => i).filter((i) => guess(i) !== test.y[i])
  const shown = wrong.slice(0, 3)
  console.log(`${wrong.length} of ${held} are wrong${shown.length > 0 ? '; the first of them:' : '.'}`)
  const shades = ' .:-=+*%@'
  for (const i of shown) {
    console.log(`\n  a ${test.y[i]}, taken for a ${guess(i)}`)
    const first = (count - held + i) * 64
    for (let y = 0; y < 8; y++) {
      const row = images.subarray(first + y * 8, first + y * 8 + 8)
      console.log(`  ${[...row].map((pixel) => shades[Math.round(pixel * 8)].repeat(2)).join('')}`)
    }
  }
  if (shown.length > 0) console.log()
}
