import test from 'ava'
import { tensor, type Tensor } from '../../ts/index.ts'
import type { SerializedObject } from '../../ts/core/registry.ts'
import { getLoss } from '../../ts/losses/loss.ts'
import { Trace } from '../../ts/native/trace.ts'
import * as ops from '../../ts/ops/index.ts'
import { decode, golden, numbers, type GoldenTensor } from '../helpers/golden.ts'

interface LossCase {
  readonly name: string
  readonly config: SerializedObject
  readonly y_true: GoldenTensor
  readonly y_pred: GoldenTensor
  readonly sample_weight?: GoldenTensor
  readonly mask?: GoldenTensor
  readonly result: GoldenTensor
  readonly cotangent: GoldenTensor
  readonly gradient: GoldenTensor
}

/** The loss and its gradient with respect to the prediction, as one program. */
function run(c: LossCase): [result: Tensor, gradient: Tensor] {
  const trace = new Trace(c.name)
  const inputs = [c.y_true, c.y_pred, c.sample_weight, c.mask, c.cotangent].map((stored) => stored && decode(stored))
  const [yTrue, yPred, weight, mask, cotangent] = inputs.map(
    (value) => value && trace.input([null, ...value.shape.slice(1)].slice(0, value.shape.length), value.dtype),
  )
  const [result, gradient] = trace.within(() => {
    if (mask) yPred!.mask = mask
    const value = getLoss(c.config).reduced(yTrue!, yPred!, weight)
    return [value, trace.gradients(ops.sum(ops.multiply(value, cotangent!)), [yPred!])[0] ?? ops.zerosLike(yPred!)]
  })
  return trace.compile([result!, gradient!]).runSync(inputs.filter((value) => value !== undefined)) as [Tensor, Tensor]
}

/** float32 of a few operations against float32 of another library: the largest difference relative to the largest value. */
function close(got: Tensor, expected: GoldenTensor): number {
  const wanted = numbers(expected)
  const scale = wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1e-6)
  return wanted.reduce(
    (worst, x, i) => {
      const y = got.data[i] as number
      return y === x || (Number.isNaN(x) && Number.isNaN(y)) ? worst : Math.max(worst, Math.abs(y - x) / scale)
    },
    got.data.length === wanted.length ? 0 : Infinity,
  )
}

const later = golden<LossCase[]>('losses_later.json').filter(
  ({ config }) => !/Focal|Dice|Tversky/.test(config.class_name),
)
for (const c of [...golden<LossCase[]>('losses.json'), ...later]) {
  test(`${c.name}: value and gradient are Keras's`, (t) => {
    const [result, gradient] = run(c)
    t.deepEqual([...result.shape], [...c.result.shape])
    t.true(close(result, c.result) < 2e-6, `value: ${result} instead of ${c.result.data.join()}`)
    t.true(close(gradient, c.gradient) < 5e-6, `gradient: ${gradient} instead of ${c.gradient.data.join()}`)
  })
}

test('the form in files is Keras’s', (t) => {
  for (const { config } of golden<LossCase[]>('losses.json')) {
    const loss = getLoss(config) as unknown as { kerasConfig(): Record<string, unknown> }
    const written = loss.kerasConfig()
    for (const [key, value] of Object.entries(config.config as Record<string, unknown>)) {
      const own = written[key] as { value?: number } | string | null
      t.deepEqual(own !== null && typeof own === 'object' ? own.value : own, value, `${config.class_name}.${key}`)
    }
  }
})

test('called on data, a loss computes at once', (t) => {
  const loss = getLoss('mse')
  t.is(loss([[1, 2]], [[1, 4]]).item(), 2)
  t.is(
    loss(
      [
        [1, 2],
        [0, 0],
      ],
      [
        [1, 4],
        [1, 1],
      ],
      tensor(new Float32Array([1, 3])),
    ).item(),
    2.5,
  )
})
