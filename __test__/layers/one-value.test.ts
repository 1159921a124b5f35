import test from 'ava'
import { layers, ops, tensor, type Tensor } from '../../ts/index.ts'

// With one value there is nothing to normalize: the result is beta by the formula, whatever epsilon is. No golden value:
// Keras's own float32 rounding of x - mean is multiplied by 32 there.
test('batch normalization of one row in training is beta at the default epsilon', (t) => {
  const layer = layers.BatchNormalization({ betaInitializer: 'random_normal', gammaInitializer: 'random_normal' })
  const result = layer(tensor([[1.907, 1.996, 0.335]]), { training: true }) as unknown as Tensor
  t.deepEqual([...result.data], [...(layer.weights[1]?.read().data ?? [])])
})

test('layer normalization of one feature is beta at the default epsilon', (t) => {
  const layer = layers.LayerNormalization({ betaInitializer: 'random_normal', gammaInitializer: 'random_normal' })
  const result = layer(tensor([[1.907], [1.996], [0.335]])) as unknown as Tensor
  const beta = layer.weights[1]?.read() as Tensor
  t.deepEqual([...result.data], [...(ops.broadcastTo(beta, [3, 1]) as Tensor).data])
})
