import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  callbacks,
  ConfigError,
  DataError,
  Input,
  layers,
  Model,
  optimizers,
  type SymbolicTensor,
  type Tensor,
} from '../../ts/index.ts'
import type { CallbackHooks } from '../../ts/training/callbacks/callback.ts'
import { formatValue, progressLine } from '../../ts/training/callbacks/progress-line.ts'

function line(learningRate = 0.1): Model {
  const x = Input({ shape: [1] })
  const model = Model({ inputs: x, outputs: layers.Dense({ units: 1, kernelInitializer: 'zeros' })(x) })
  model.compile({ optimizer: optimizers.SGD({ learningRate }), loss: 'mse', metrics: ['mae'] })
  return model
}

const x = [0, 1, 2, 3]
const y = [1, 3, 5, 7]
const quiet = { verbose: 0, shuffle: false } as const
const weights = (model: Model): number[][] => model.getWeights().map((w: Tensor) => [...w.data])

const hooks: (keyof CallbackHooks)[] = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onTrainBatchBegin',
  'onTrainBatchEnd',
  'onTestBegin',
  'onTestEnd',
  'onTestBatchBegin',
  'onTestBatchEnd',
  'onPredictBegin',
  'onPredictEnd',
  'onPredictBatchBegin',
  'onPredictBatchEnd',
]

test("hooks are called in Keras's order, async ones are waited for", async (t) => {
  const calls: string[] = []
  const recorder: CallbackHooks = Object.fromEntries(
    hooks.map((name) => [
      name,
      async (first: unknown) => {
        await Promise.resolve()
        calls.push(typeof first === 'number' ? `${name} ${first}` : name)
      },
    ]),
  )
  const model = line()
  await model.fit(x, y, { ...quiet, batchSize: 2, epochs: 1, validationData: [x, y], callbacks: recorder })
  t.deepEqual(calls, [
    'onTrainBegin',
    'onEpochBegin 0',
    'onTrainBatchBegin 0',
    'onTrainBatchEnd 0',
    'onTrainBatchBegin 1',
    'onTrainBatchEnd 1',
    'onTestBegin',
    'onTestBatchBegin 0',
    'onTestBatchEnd 0',
    'onTestBatchBegin 1',
    'onTestBatchEnd 1',
    'onTestEnd',
    'onEpochEnd 0',
    'onTrainEnd',
  ])
  calls.length = 0
  await model.predict(x, { callbacks: [recorder] })
  t.deepEqual(calls, ['onPredictBegin', 'onPredictBatchBegin 0', 'onPredictBatchEnd 0', 'onPredictEnd'])
})

test('a class of the user’s sees the model and its parameters, and may end training', async (t) => {
  class Stop extends callbacks.Callback {
    batches = 0
    override onBatchEnd(batch: number): void {
      this.batches++
      if (batch === 1) this.model.stopTraining = true
    }
  }
  const [model, stop] = [line(), new Stop()]
  const history = await model.fit(x, y, { ...quiet, batchSize: 1, epochs: 5, callbacks: [stop] })
  t.is(stop.batches, 2)
  t.deepEqual(history.epoch, [0])
  t.deepEqual(stop.params, { verbose: 0, epochs: 5, steps: 4 })
  t.is(stop.model, model as never)
})

test('what a callback adds to the logs of an epoch goes into the history', async (t) => {
  const history = await line().fit(x, y, {
    ...quiet,
    epochs: 2,
    callbacks: { onEpochEnd: (epoch, logs) => void (logs['mine'] = epoch * 10) },
  })
  t.deepEqual(history.history['mine'], [0, 10])
})

test('an error of a callback ends training with that error', async (t) => {
  await t.throwsAsync(
    line().fit(x, y, {
      ...quiet,
      callbacks: {
        onTrainBatchEnd: () => {
          throw new RangeError('mine')
        },
      },
    }),
    { instanceOf: RangeError, message: 'mine' },
  )
})

test('EarlyStopping waits for its patience and restores the best weights', async (t) => {
  // Too large a learning rate: the loss grows after the first epoch.
  const model = line(0.5)
  const seen: number[][][] = []
  const early = callbacks.EarlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true })
  const history = await model.fit(x, y, {
    ...quiet,
    epochs: 10,
    callbacks: [{ onEpochEnd: () => void seen.push(weights(model)) }, early],
  })
  t.deepEqual(history.epoch, [0, 1, 2])
  t.is(early.stoppedEpoch, 2)
  t.is(early.bestEpoch, 0)
  t.deepEqual(weights(model), seen[0])
})

test('EarlyStopping restores also when training was not ended', async (t) => {
  const model = line(0.5)
  const seen: number[][][] = []
  const early = callbacks.EarlyStopping({ monitor: 'loss', patience: 9, restoreBestWeights: true })
  await model.fit(x, y, {
    ...quiet,
    epochs: 3,
    callbacks: [{ onEpochEnd: () => void seen.push(weights(model)) }, early],
  })
  t.is(early.stoppedEpoch, 0)
  t.deepEqual(weights(model), seen[0])
})

test('EarlyStopping knows from the metric which way is better', async (t) => {
  const epochs = async (
    options: Parameters<typeof callbacks.EarlyStopping>[0],
    learningRate: number,
  ): Promise<number> =>
    (
      await line(learningRate).fit(x, y, {
        ...quiet,
        epochs: 5,
        validationSplit: 0.25,
        callbacks: callbacks.EarlyStopping(options),
      })
    ).epoch.length
  t.is(await epochs({ monitor: 'mae' }, 0.001), 5)
  t.is(await epochs({ monitor: 'val_mae' }, 0.001), 5)
  t.is(await epochs({ monitor: 'mae', mode: 'max' }, 0.001), 2)
  t.is(await epochs({ monitor: 'mae', minDelta: 100 }, 0.001), 2)
  t.is(await epochs({ monitor: 'mae', minDelta: 100, startFromEpoch: 2 }, 0.001), 4)
  t.is(await epochs({ monitor: 'mae', baseline: 0, patience: 3 }, 0.001), 5)
  const model = line()
  model.compile({
    loss: 'mse',
    metrics: [
      function mine(_: SymbolicTensor, yPred: SymbolicTensor) {
        return yPred
      },
    ],
  })
  await t.throwsAsync(model.fit(x, y, { ...quiet, callbacks: callbacks.EarlyStopping({ monitor: 'mine' }) }), {
    instanceOf: ConfigError,
    message: /give mode 'min' or 'max'/,
  })
  t.throws(() => callbacks.EarlyStopping({ mode: 'down' as never }), { instanceOf: ConfigError })
})

test('a name that is not reported is warned of', async (t) => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  await line().fit(x, y, { ...quiet, callbacks: callbacks.EarlyStopping() })
  t.regex((await warned).message, /EarlyStopping watches 'val_loss', which is not reported. There are: loss, mae/)
})

test('ReduceLROnPlateau lowers the learning rate and reports it', async (t) => {
  const { history } = await line(0.5).fit(x, y, {
    ...quiet,
    epochs: 5,
    callbacks: callbacks.ReduceLROnPlateau({ monitor: 'loss', patience: 1, factor: 0.5, minLr: 0.2 }),
  })
  t.deepEqual(history['learning_rate'], [0.5, 0.5, 0.25, Math.fround(0.2), Math.fround(0.2)])
  t.throws(() => callbacks.ReduceLROnPlateau({ factor: 1 }), { instanceOf: ConfigError })
})

test('LearningRateScheduler sets the learning rate of each epoch', async (t) => {
  const { history } = await line(0.5).fit(x, y, {
    ...quiet,
    epochs: 3,
    callbacks: callbacks.LearningRateScheduler((epoch, rate) => (epoch === 0 ? rate : rate / 2)),
  })
  t.deepEqual(history['learning_rate'], [0.5, 0.25, 0.125])
  await t.throwsAsync(line().fit(x, y, { ...quiet, callbacks: callbacks.LearningRateScheduler(() => 'x' as never) }), {
    instanceOf: ConfigError,
    message: /a finite number, received 'x'/,
  })
})

test('TerminateOnNaN ends training at the batch', async (t) => {
  await t.throwsAsync(line().fit([NaN], [1], { ...quiet, callbacks: callbacks.TerminateOnNaN({ raiseError: true }) }), {
    instanceOf: DataError,
    message: 'the loss of batch 0 is NaN',
  })
})

test('CSVLogger writes a line for each epoch', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'csv-'))
  const path = join(folder, 'log.csv')
  try {
    await line().fit(x, y, { ...quiet, epochs: 2, callbacks: callbacks.CSVLogger(path) })
    await line().fit(x, y, { ...quiet, epochs: 1, callbacks: callbacks.CSVLogger(path, { append: true }) })
    const lines = readFileSync(path, 'utf8').trim().split('\r\n')
    t.is(lines[0], 'epoch,loss,mae,val_loss,val_mae')
    t.is(lines.length, 4)
    t.regex(lines[1] as string, /^0,[\d.]+,[\d.]+,NA,NA$/)
    await t.throwsAsync(line().fit(x, y, { ...quiet, callbacks: callbacks.CSVLogger(join(folder, 'no', 'log.csv')) }), {
      code: 'FILE_WRITE',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the bar writes a line for each epoch where nobody watches', async (t) => {
  const written: string[] = []
  const bar = callbacks.ProgressBar({ stream: { write: (text) => written.push(text) } })
  // verbose 0 keeps fit from adding a bar of its own, so the bar is told what it would be told otherwise.
  bar.setParams = function (params) {
    this.params = { ...params, verbose: 1 }
  }
  await line().fit(x, y, { ...quiet, epochs: 2, batchSize: 2, callbacks: bar })
  t.is(written.length, 4)
  t.is(written[0], 'Epoch 1/2\n')
  t.regex(written[1] as string, /^2\/2 ━{20} \d+s \d+(us|ms|s)\/step - loss: [\d.]+ - mae: [\d.]+\n$/)
})

test('on a terminal the line is written over, colours can be turned off', (t) => {
  const progress = { step: 3, steps: 10, seconds: 61, secondsPerStep: 20, finished: false, logs: { loss: 0.25 } }
  t.is(progressLine(progress, { bar: true, color: false }), ' 3/10 ━━━━━━────────────── 2:20 20s/step - loss: 0.2500')
  t.is(
    progressLine(progress, { bar: true, color: true }),
    '\x1b[1m 3/10\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m \x1b[1m2:20\x1b[0m 20s/step - loss: 0.2500',
  )
  t.is(
    progressLine({ ...progress, finished: true, secondsPerStep: 0.0004 }, { bar: false, color: false }),
    ' 3/10 - 61s - 400us/step - loss: 0.2500',
  )
  t.is(formatValue(0.00012345), '1.2345e-04')
  t.is(formatValue(NaN), 'nan')
})
