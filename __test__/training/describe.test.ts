import test from 'ava'
import { Input, layers, Model, StateError } from '../../ts/index.ts'

function build() {
  const image = Input({ shape: [8, 8, 3] })
  let x = layers.Conv2D({ filters: 16, kernelSize: 3 })(image)
  x = layers.BatchNormalization()(x)
  x = layers.Flatten()(layers.ReLU()(x))
  return Model({ inputs: image, outputs: layers.Dense({ units: 4 })(x) })
}

const x = { data: new Float32Array(2 * 8 * 8 * 3).fill(0.5), shape: [2, 8, 8, 3] }

test('a prediction as text: every step, its kernel and the memory', (t) => {
  const text = build().describe(x)
  const lines = text.trimEnd().split('\n')
  t.regex(text, /conv2d\[\w+\].*input 0.*float32\[2, 6, 6, 16\]/)
  t.regex(lines.at(-1) as string, /^block \d+ B, outputs 32 B, prepared weights \d+ B, derived weights \d+ B$/)
  t.notRegex(text, /batch_norm/, 'it is part of the weights')
  t.notRegex(text, / us /)
})

test('with runs every step has its time', (t) => {
  const model = build()
  const lines = model.describe(x, { runs: 3 }).trimEnd().split('\n').slice(0, -1)
  t.true(lines.length > 0 && lines.every((line) => /^ *\d+\.\d us +\d+\.\d % /.test(line)))
  t.throws(() => model.describe(x, { runs: -1 }), { message: /'runs' must be an integer >= 1/ })
})

test('with targets it is a step of training, which changes nothing when it is timed', (t) => {
  const model = build()
  const y = { data: new Float32Array(8), shape: [2, 4] }
  t.throws(() => model.describe(x, { y }), { instanceOf: StateError })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  const before = model.getWeights().map((weight) => weight.toArray())
  const text = model.describe(x, { y, runs: 2 })
  t.regex(text, /conv2d_kernel_gradient/)
  t.regex(text, /batch_norm_training/)
  t.deepEqual(
    model.getWeights().map((weight) => weight.toArray()),
    before,
  )
})
