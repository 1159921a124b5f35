import test from 'ava'
import { ConfigError, StateError } from '../../ts/core/errors.ts'
import type { SymbolicTensor } from '../../ts/core/symbolic.ts'
import type { Shape } from '../../ts/core/types.ts'
import * as layers from '../../ts/layers/index.ts'
import type { LayerConfig } from '../../ts/layers/layer.ts'
import { tensor, type Tensor } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'
import type { Variable } from '../../ts/native/variable.ts'
import * as ops from '../../ts/ops/index.ts'

class MyDense extends layers.Layer {
  declare kernel: Variable
  declare bias: Variable
  readonly units: number

  constructor(config: LayerConfig & { units: number }) {
    super(config)
    this.units = config.units
  }

  override build(shape: Shape): void {
    this.kernel = this.addWeight({ name: 'kernel', shape: [shape.at(-1) as number, this.units], regularizer: 'l2' })
    this.bias = this.addWeight({ name: 'bias', shape: [this.units], initializer: 'zeros', trainable: false })
  }

  override call(x: SymbolicTensor): SymbolicTensor {
    return ops.add(ops.matmul(x, this.kernel), this.bias)
  }
}

test('a layer of one’s own is callable on symbolic tensors and on data', (t) => {
  const layer = new MyDense({ units: 2, name: 'mine' })
  t.deepEqual([...layer(layers.Input({ shape: [3] })).shape], [null, 2])
  layer.setWeights([tensor([[1, 2], [3, 4], [5, 6]]), tensor([10, 20])])
  t.deepEqual(layer(tensor([[1, 0, 1]])).toArray(), [[16, 28]])
  t.deepEqual(layer.trainableWeights.map((w) => w.path), ['mine/kernel'])
  t.deepEqual(layer.nonTrainableWeights.map((w) => w.path), ['mine/bias'])
})

test('a layer of one’s own has gradients', (t) => {
  const layer = new MyDense({ units: 1 })
  const data = tensor([[1, 2, 3]])
  layer.ensureBuilt([1, 3])
  const trace = new Trace('gradient')
  const [gradient] = trace.within(() => {
    const x = trace.input([1, 3], 'float32')
    const y = layer.invoke([x], {}) as SymbolicTensor
    const [dk] = trace.gradients(ops.sum(ops.square(y)), [trace.read(layer.kernel)])
    return trace.compile([dk as SymbolicTensor, y]).runSync([data])
  })
  const y = layer(data).item()
  const expected = [1, 2, 3].map((x) => 2 * y * x)
  Array.from((gradient as Tensor).data).forEach((value, i) => t.true(Math.abs(value - (expected[i] as number)) < 1e-4))
})

test('options that are plain come back from getConfig', (t) => {
  const layer = new MyDense({ units: 4, name: 'mine' })
  t.deepEqual(layer.getConfig(), { units: 4, name: 'mine', trainable: true })
  t.is((MyDense.fromConfig(layer.getConfig()) as MyDense).units, 4)
})

test('layers inside a layer give it their weights and follow its trainable', (t) => {
  class Block extends layers.Layer {
    readonly first = layers.Dense({ units: 2 })
    readonly rest = [layers.BatchNormalization(), layers.Dense({ units: 1 })]
    override call(x: SymbolicTensor): SymbolicTensor {
      return this.rest.reduce<SymbolicTensor>((y, layer) => layer(y), this.first(x))
    }
  }
  const block = new Block()
  t.deepEqual(block(tensor([[1, 2, 3]])).shape, [1, 1])
  t.is(block.weights.length, 8)
  t.is(block.trainableWeights.length, 6)
  block.trainable = false
  t.false(block.first.trainable)
  t.is(block.trainableWeights.length, 0)
})

test('training, mask and options of the caller arrive', (t) => {
  const seen: unknown[] = []
  class Probe extends layers.Layer {
    override call(x: SymbolicTensor, context: { readonly [option: string]: unknown }): SymbolicTensor {
      seen.push(context['training'], context['mask'], context['scale'])
      return ops.multiply(x, (context['scale'] as number | undefined) ?? 1)
    }
  }
  const probe = new Probe()
  t.deepEqual(probe(tensor([1, 2]), { training: true, scale: 3 }).toArray(), [3, 6])
  probe(layers.Input({ shape: [2] }))
  t.deepEqual(seen, [true, undefined, 3, false, undefined, undefined])
})

test('the caller’s training reaches the layers inside', (t) => {
  const dropout = layers.Dropout({ rate: 1 })
  class Outer extends layers.Layer {
    override call(x: SymbolicTensor): SymbolicTensor {
      return dropout(x)
    }
  }
  const outer = new Outer()
  t.deepEqual(outer(tensor([[1]])).toArray(), [[1]])
  t.deepEqual(outer(tensor([[1]]), { training: true }).toArray(), [[0]])
})

test('call must return tensors, and addLoss belongs inside it', (t) => {
  class Wrong extends layers.Layer {
    override call(): never {
      return 5 as never
    }
  }
  t.throws(() => new Wrong()(tensor([1])), { instanceOf: ConfigError, message: /'call' must return symbolic tensors. Received: 5/ })
  t.throws(() => new Wrong().addLoss(undefined as never), { instanceOf: StateError, message: /inside 'call'/ })
})

test('a regularizer of the result is divided by the rows and collected', (t) => {
  const layer = layers.Activation({ activation: 'linear', activityRegularizer: 'l2' })
  const trace = new Trace('activity')
  const [loss] = trace.within(() => {
    layer.invoke([trace.input([2, 2], 'float32')], {})
    return trace.compile(trace.losses).runSync([tensor([[1, 2], [3, 4]])])
  })
  t.true(Math.abs((loss as Tensor).item() - 0.15) < 1e-6)
  t.is(layer.getConfig()['activityRegularizer'] !== undefined, true)
})

test('a batch without rows leaves moving statistics as they are', (t) => {
  const norm = layers.BatchNormalization()
  norm(tensor([[1, 2]]))
  const before = norm.getWeights().map((w) => w.toArray())
  t.deepEqual(norm(tensor(new Float32Array(0), [0, 2]), { training: true }).shape, [0, 2])
  t.deepEqual(
    norm.getWeights().map((w) => w.toArray()),
    before,
  )
})
