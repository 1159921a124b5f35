import test from 'ava'
import { ConfigError, ShapeError } from '../../ts/core/errors.ts'
import { toPlainObject, type Serializable } from '../../ts/core/serializable.ts'
import type { SymbolicTensor } from '../../ts/core/symbolic.ts'
import { tensor, type Tensor, type TensorLike } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'
import * as regularizers from '../../ts/regularizers/index.ts'

function penalty(regularizer: regularizers.Regularizer, data: TensorLike): number {
  const x = tensor(data)
  const trace = new Trace('penalty')
  const [result] = trace.within(() => {
    const value: SymbolicTensor = regularizer.penalty(trace.input(x.shape, x.dtype))
    return trace.compile([value]).runSync([x])
  })
  return (result as Tensor).item()
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b))

test('penalties are those of their formulas', (t) => {
  const x = [[1, -2], [3, -4]]
  t.true(near(penalty(regularizers.L1(), x), 0.1))
  t.true(near(penalty(regularizers.L2(), x), 0.3))
  t.true(near(penalty(regularizers.L1L2({ l1: 0.5, l2: 2 }), x), 65))
  t.is(penalty(regularizers.L1L2(), x), 0)
})

test('orthogonal rows or columns cost nothing, equal ones the factor', (t) => {
  t.true(near(penalty(regularizers.OrthogonalRegularizer(), [[1, 0], [0, 2]]), 0))
  t.true(near(penalty(regularizers.OrthogonalRegularizer({ factor: 0.5 }), [[1, 1], [2, 2]]), 0.5))
  t.true(near(penalty(regularizers.OrthogonalRegularizer({ mode: 'columns' }), [[3, 0], [4, 0]]), 0))
  // Rows (1, 0), (1, 1), (0, 1): the cosines are sqrt(1/2), 0, sqrt(1/2); their mean times the factor.
  t.true(near(penalty(regularizers.OrthogonalRegularizer({ factor: 1 }), [[1, 0], [1, 1], [0, 1]]), (2 * Math.SQRT1_2) / 3))
  t.throws(() => penalty(regularizers.OrthogonalRegularizer(), [1, 2]), { instanceOf: ShapeError, message: /expected a matrix/ })
})

test('names and configurations', (t) => {
  t.true(regularizers.get('l1') instanceof regularizers.L1)
  t.true(regularizers.get('L2') instanceof regularizers.L2)
  t.true(regularizers.get('l1_l2') instanceof regularizers.L1L2)
  t.true(regularizers.get('orthogonalRegularizer') instanceof regularizers.OrthogonalRegularizer)
  const stored = { module: 'keras.regularizers', class_name: 'L1L2', config: { l1: 0.5, l2: 0 }, registered_name: null }
  t.deepEqual(toPlainObject(regularizers.get(stored) as unknown as Serializable), stored)
  t.throws(() => regularizers.get('l3'), { instanceOf: ConfigError, message: /expected a regularizer: a name \(l1, .*Received: 'l3'/ })
  t.throws(() => regularizers.L2({ l2: -1 }), { instanceOf: ConfigError, message: /'l2' must be a finite number >= 0. Received: -1/ })
})
