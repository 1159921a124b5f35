import test from 'ava'
import * as activations from '../../ts/activations/index.ts'
import { serializeActivation } from '../../ts/activations/activation.ts'
import { ConfigError, ShapeError } from '../../ts/core/errors.ts'
import * as layers from '../../ts/layers/index.ts'
import { tensor, type TensorLike } from '../../ts/native/tensor.ts'
import * as ops from '../../ts/ops/index.ts'

function run(activation: activations.ActivationInput, data: TensorLike): number[] {
  return Array.from(layers.Activation({ activation })(tensor(data)).data)
}

function near(got: readonly number[], expected: readonly number[], slack = 1e-6): boolean {
  return got.length === expected.length && got.every((x, i) => Math.abs(x - (expected[i] as number)) <= slack)
}

// Values at every activation's kinks and its gradients there are in the golden files of the layer Activation.

test('gelu is the exact one by default', (t) => {
  t.true(near(run('gelu', [1]), [0.8413447]))
  t.true(near(run((x) => activations.gelu(x, true), [1]), [0.841192]))
})

test('hard_sigmoid is relu6(x + 3) / 6', (t) => {
  t.true(near(run('hard_sigmoid', [-4, 0, 1, 4]), [0, 0.5, 4 / 6, 1]))
})

test('leaky_relu has slope 0.2, the layer 0.3', (t) => {
  t.true(near(run('leaky_relu', [-1]), [-0.2]))
  t.true(near(Array.from(layers.LeakyReLU()(tensor([-1])).data), [-0.3]))
})

test('softmax and log_softmax sum to one along the last axis', (t) => {
  const rows = run('softmax', [[1, 2, 3], [1000, 1000, 1000]])
  t.true(near(rows, [0.09003057, 0.24472847, 0.66524096, 1 / 3, 1 / 3, 1 / 3]))
  t.true(near(run('log_softmax', [[1, 2, 3]]).map(Math.exp), rows.slice(0, 3)))
  t.true(near(run('softmax', [1, 2, 3]), rows.slice(0, 3)))
})

test('sparsemax is the nearest point of the simplex', (t) => {
  t.true(near(run('sparsemax', [[0.5, 0.2, -1], [0, 0, 0], [3, 0, 0]]), [0.65, 0.35, 0, 1 / 3, 1 / 3, 1 / 3, 1, 0, 0]))
  const rows = run('sparsemax', [[-1.328, -2.812, -1.523, -1.844, -2.356, -0.576]])
  t.true(near([rows.reduce((sum, x) => sum + x, 0)], [1]))
})

test('glu halves the last axis', (t) => {
  t.true(near(run('glu', [[2, 4, 0, 0]]), [1, 2]))
  t.throws(() => run('glu', [[1, 2, 3]]), { instanceOf: ShapeError, message: /glu: expected a last extent that is known and even/ })
})

test('names in both spellings, aliases, null and the functions themselves', (t) => {
  t.is(activations.get('hardSigmoid'), activations.hardSigmoid)
  t.is(activations.get('swish'), activations.silu)
  t.is(activations.get('hard_swish'), activations.hardSilu)
  t.is(activations.get(null), activations.linear)
  t.is(activations.get(activations.relu), activations.relu)
  t.throws(() => activations.get('rleu'), { instanceOf: ConfigError, message: /expected an activation: a name .*Received: 'rleu'/ })
})

test('built-in ones are saved under their bare names', (t) => {
  t.is(serializeActivation(activations.leakyRelu), 'leaky_relu')
  t.is(serializeActivation(activations.silu), 'silu')
  t.is(serializeActivation(activations.relu6), 'relu6')
  t.deepEqual(layers.Activation({ activation: 'logSoftmax', name: 'a' }).getConfig(), { name: 'a', trainable: true, activation: 'log_softmax' })
})

const tripled: activations.Activation = (x) => ops.multiply(x, 3)

test('a function of one’s own works, and can be saved once it is registered', (t) => {
  t.deepEqual(run(tripled, [1, 2]), [3, 6])
  const layer = layers.Dense({ units: 1, activation: tripled })
  t.throws(() => layer.getConfig(), { instanceOf: ConfigError, message: /register function tripled with registerActivation/ })
  activations.register(tripled)
  const config = layer.getConfig()
  t.deepEqual(config['activation'], { module: 'builtins', class_name: 'function', config: 'tripled', registered_name: 'function' })
  t.is(activations.get(config['activation'] as never), tripled)
  t.throws(() => activations.register((x) => x, 'relu'), { instanceOf: ConfigError, message: /'relu' is the name of another activation/ })
})

test('a layer can be an activation', (t) => {
  t.deepEqual(run(layers.ReLU({ maxValue: 2 }), [-1, 1, 5]), [0, 1, 2])
})
