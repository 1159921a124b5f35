import test from 'ava'
import { ConfigError } from '../../ts/core/errors.ts'
import { toPlainObject, type Serializable } from '../../ts/core/serializable.ts'
import * as constraints from '../../ts/constraints/index.ts'
import { tensor, type Tensor, type TensorLike } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'

function apply(constraint: constraints.Constraint, data: TensorLike): number[] {
  const w = tensor(data)
  const trace = new Trace('constraint')
  const [result] = trace.within(() => trace.compile([constraint.apply(trace.input(w.shape, w.dtype))]).runSync([w]))
  return Array.from((result as Tensor).data)
}

function near(got: readonly number[], expected: readonly number[]): boolean {
  return got.length === expected.length && got.every((x, i) => Math.abs(x - (expected[i] as number)) < 1e-5)
}

// Columns of norm 5 and 0.5.
const w = [[3, 0.3], [4, -0.4]]

test('MaxNorm shortens what is too long', (t) => {
  t.true(near(apply(constraints.MaxNorm(), w), [1.2, 0.3, 1.6, -0.4]))
  t.true(near(apply(constraints.MaxNorm({ maxValue: 1, axis: [0, 1] }), [[3, 0], [0, 4]]), [0.6, 0, 0, 0.8]))
})

test('UnitNorm gives length 1', (t) => {
  t.true(near(apply(constraints.UnitNorm(), w), [0.6, 0.6, 0.8, -0.8]))
  t.true(near(apply(constraints.UnitNorm({ axis: 1 }), [[3, 4]]), [0.6, 0.8]))
})

test('MinMaxNorm moves lengths into a range, wholly or in part', (t) => {
  t.true(near(apply(constraints.MinMaxNorm({ minValue: 1, maxValue: 2 }), w), [1.2, 0.6, 1.6, -0.8]))
  t.true(near(apply(constraints.MinMaxNorm({ minValue: 1, maxValue: 2, rate: 0.5 }), w), [2.1, 0.45, 2.8, -0.6]))
})

test('NonNeg cuts off what is below 0', (t) => {
  t.true(near(apply(constraints.NonNeg(), w), [3, 0.3, 4, 0]))
})

test('zeros stay zeros', (t) => {
  for (const name of ['max_norm', 'unit_norm', 'min_max_norm', 'non_neg']) t.deepEqual(apply(constraints.get(name), [[0], [0]]), [0, 0], name)
})

test('names and configurations', (t) => {
  t.true(constraints.get('maxNorm') instanceof constraints.MaxNorm)
  const stored = { module: 'keras.constraints', class_name: 'MinMaxNorm', config: { min_value: 0, max_value: 3, rate: 0.5, axis: [0, 1] }, registered_name: null }
  t.deepEqual(toPlainObject(constraints.get(stored) as unknown as Serializable), stored)
  t.throws(() => constraints.get('positive'), { instanceOf: ConfigError, message: /expected a constraint: a name \(.*Received: 'positive'/ })
})
