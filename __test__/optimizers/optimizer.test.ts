import test from 'ava'
import { ConfigError, optimizers, schedules, StateError, tensor, type Tensor } from '../../ts/index.ts'
import { Trace } from '../../ts/native/trace.ts'
import { Variable } from '../../ts/native/variable.ts'
import { divideWhole } from '../../ts/optimizers/divide-whole.ts'
import { getOptimizer } from '../../ts/optimizers/optimizer.ts'
import * as ops from '../../ts/ops/index.ts'

test('names are taken in any case', (t) => {
  t.true(getOptimizer('adam') instanceof optimizers.Adam)
  t.true(getOptimizer('AdamW') instanceof optimizers.AdamW)
  t.true(getOptimizer('RMSprop') instanceof optimizers.RMSprop)
  t.throws(() => getOptimizer('adamm'), { instanceOf: ConfigError, message: /expected an optimizer: a name \(/ })
})

test('at most one limit for gradients', (t) => {
  t.throws(() => optimizers.SGD({ clipnorm: 1, clipvalue: 2 }), {
    instanceOf: ConfigError,
    message: /at most one of .* received clipnorm and clipvalue/,
  })
})

test('the learning rate can be read and set', (t) => {
  const optimizer = optimizers.SGD({ learningRate: 0.5 })
  t.is(optimizer.learningRate, 0.5)
  optimizer.learningRate = 0.25
  t.is(optimizer.learningRate, 0.25)
  t.throws(() => (optimizer.learningRate = NaN), { instanceOf: ConfigError })
  const scheduled = optimizers.SGD({
    learningRate: schedules.ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 }),
  })
  t.is(scheduled.learningRate, 1)
  t.throws(() => (scheduled.learningRate = 1), { instanceOf: StateError, message: /has a schedule/ })
})

test('an optimizer serves one set of variables', (t) => {
  const optimizer = optimizers.Adam()
  const [a, b] = [new Variable('a', tensor([1, 2])), new Variable('b', tensor([1, 2]))]
  t.deepEqual(optimizer.variables, [])
  optimizer.build([a])
  t.notThrows(() => optimizer.build([a]))
  t.throws(() => optimizer.build([b]), {
    instanceOf: StateError,
    message: /a new set of variables needs a new optimizer/,
  })
})

test('constraints hold after the step', (t) => {
  const weight = new Variable('w', tensor([1, -1]), { constraint: (w) => ops.maximum(w as Tensor, 0) })
  const optimizer = optimizers.SGD({ learningRate: 1 })
  const trace = new Trace('step')
  const gradient = trace.input([2], 'float32')
  trace.within(() => optimizer.apply([gradient], [weight]))
  trace.compile([]).runSync([tensor([0.5, 0.5])])
  t.deepEqual([...weight.read().data], [0.5, 0])
})

test('variables can be left out of weight decay', (t) => {
  const [kernel, bias] = [new Variable('kernel', tensor([1])), new Variable('bias', tensor([1]))]
  const optimizer = optimizers.SGD({ learningRate: 0.5, weightDecay: 0.5 })
  optimizer.excludeFromWeightDecay({ names: ['bias'] })
  const trace = new Trace('step')
  const gradients = [trace.input([1], 'float32'), trace.input([1], 'float32')]
  trace.within(() => optimizer.apply(gradients, [kernel, bias]))
  trace.compile([]).runSync([tensor([0]), tensor([0])])
  t.is(kernel.read().item(), 0.75)
  t.is(bias.read().item(), 1)
  t.throws(() => optimizer.excludeFromWeightDecay({ names: ['x'] }), { instanceOf: StateError })
})

test('no gradient at all is a mistake', (t) => {
  const weight = new Variable('w', tensor([1]))
  const trace = new Trace('step')
  t.throws(() => trace.within(() => optimizers.SGD().apply([undefined], [weight])), {
    instanceOf: StateError,
    message: /no variable has a gradient/,
  })
})

test('whole quotients are exact beyond what float32 holds', (t) => {
  for (const [n, divisor] of [
    [0, 3],
    [5, 3],
    [16777217, 2],
    [2147483647, 7],
    [2147483646, 2147483],
    [123456789, 10],
  ] as const) {
    const quotient = divideWhole(tensor(n, [], 'int32') as never, divisor) as unknown as Tensor
    t.is(quotient.item(), Math.floor(n / divisor), `${n} / ${divisor}`)
  }
})
