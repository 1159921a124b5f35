import test from 'ava'
import { AbortError, Input, layers, Model, optimizers, StateError, tensor, type Tensor } from '../../ts/index.ts'
import type { Batch } from '../../ts/training/data/types.ts'
import type { FitOptions } from '../../ts/training/fit.ts'

function line(learningRate = 0.1): Model {
  const x = Input({ shape: [1] })
  const model = Model({ inputs: x, outputs: layers.Dense({ units: 1, kernelInitializer: 'zeros' })(x) })
  model.compile({ optimizer: optimizers.SGD({ learningRate }), loss: 'mse' })
  return model
}

function wide(): Model {
  const x = Input({ shape: [512] })
  const hidden = layers.Dense({ units: 1024, activation: 'relu' })(layers.Dense({ units: 1024, activation: 'relu' })(x))
  const model = Model({ inputs: x, outputs: layers.Dense({ units: 1 })(hidden) })
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  return model
}

const x = [0, 1, 2, 3, 4, 5, 6, 7]
const y = [1, 3, 5, 7, 9, 11, 13, 15]
const weights = (model: Model): number[][] => model.getWeights().map((w: Tensor) => [...w.data])

/** The longest time that a timer of 5 ms had to wait while `work` went on. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const tick = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(tick, 5)
  try {
    await work()
  } finally {
    tick()
    clearInterval(timer)
  }
  return longest
}

test.serial('the event loop stays free while a model trains, is measured and predicts', async (t) => {
  const model = wide()
  const [data, targets] = [tensor(new Float32Array(2048 * 512), [2048, 512]), tensor(new Float32Array(2048), [2048, 1])]
  const work = async (): Promise<void> => {
    await model.fit(data, targets, { epochs: 1, batchSize: 256, verbose: 0 })
    await model.evaluate(data, targets, { batchSize: 512, verbose: 0 })
    await model.predict(data, { batchSize: 512 })
  }
  await work()
  // Other programs on the machine may take the processor away, so the best of three counts.
  const gaps = [await longestGap(work), await longestGap(work), await longestGap(work)]
  t.true(Math.min(...gaps) < 50, `longest gaps: ${gaps.map(Math.round).join(', ')} ms`)
})

test('an abort between steps keeps the weights of the last finished step', async (t) => {
  const model = line()
  const controller = new AbortController()
  let after: number[][] = []
  const run = model.fit(x, y, {
    batchSize: 1,
    shuffle: false,
    verbose: 0,
    signal: controller.signal,
    callbacks: {
      onTrainBatchEnd: (batch) => {
        if (batch !== 2) return
        after = weights(model)
        controller.abort(new Error('enough'))
      },
    },
  })
  const error = await t.throwsAsync(run, { instanceOf: AbortError, code: 'ABORT' })
  t.like(error, { cause: { message: 'enough' } })
  t.deepEqual(weights(model), after)
  await t.notThrowsAsync(model.fit(x, y, { verbose: 0 }))
})

test('an abort inside a step changes no weight', async (t) => {
  const model = wide()
  const [data, targets] = [
    tensor(new Float32Array(4096 * 512).fill(1), [4096, 512]),
    tensor(new Float32Array(4096), [4096, 1]),
  ]
  await model.trainOnBatch(data, targets)
  const before = weights(model)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 5)
  await t.throwsAsync(model.fit(data, targets, { batchSize: 4096, verbose: 0, signal: controller.signal }), {
    instanceOf: AbortError,
  })
  t.deepEqual(weights(model), before)
})

test('a signal that was aborted before ends the work at once', async (t) => {
  const model = line()
  const before = weights(model)
  await t.throwsAsync(model.fit(x, y, { verbose: 0, signal: AbortSignal.abort() }), { instanceOf: AbortError })
  await t.throwsAsync(model.evaluate(x, y, { verbose: 0, signal: AbortSignal.abort() }), { instanceOf: AbortError })
  await t.throwsAsync(model.predict(x, { signal: AbortSignal.abort() }), { instanceOf: AbortError })
  t.deepEqual(weights(model), before)
})

test('a step that fails changes nothing, and training goes on afterwards', async (t) => {
  const ids = Input({ shape: [1], dtype: 'int32' })
  const model = Model({
    inputs: ids,
    outputs: layers.Dense({ units: 1 })(layers.Flatten()(layers.Embedding({ inputDim: 4, outputDim: 2 })(ids))),
  })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  await model.fit([0, 1], [0, 1], { verbose: 0 })
  const [before, state] = [weights(model), model.trainer.optimizer?.variables.map((v) => [...v.read().data])]
  await t.throwsAsync(model.fit([9, 1], [0, 1], { verbose: 0 }), { code: 'DATA', message: /9/ })
  t.deepEqual(weights(model), before)
  t.deepEqual(
    model.trainer.optimizer?.variables.map((v) => [...v.read().data]),
    state,
  )
  await t.notThrowsAsync(model.fit([0, 1], [0, 1], { verbose: 0 }))
})

test('one training at a time; prediction and measuring go on beside it', async (t) => {
  const model = line()
  const run = model.fit(x, y, { epochs: 20, batchSize: 1, verbose: 0 })
  await t.throwsAsync(model.fit(x, y), { instanceOf: StateError, message: /fit is called while fit is under way/ })
  await t.throwsAsync(model.trainOnBatch(x, y), {
    instanceOf: StateError,
    message: /trainOnBatch is called while fit is under way/,
  })
  t.throws(() => model.compile({ loss: 'mse' }), { instanceOf: StateError, message: /before fit, not during it/ })
  const [prediction, ...scores] = await Promise.all([
    model.predict(x),
    ...Array.from({ length: 3 }, () => model.evaluate(x, y, { batchSize: 3, verbose: 0 })),
  ])
  t.is(prediction.shape[0], 8)
  t.true(scores.every((score) => Number.isFinite(score['loss'])))
  const { history } = await run
  const alone = await line().fit(x, y, { epochs: 20, batchSize: 1, verbose: 0, shuffle: false })
  t.is(history['loss']?.length, alone.history['loss']?.length)
})

test('measuring beside training does not disturb what training reports', async (t) => {
  const options: FitOptions = { epochs: 3, batchSize: 2, shuffle: false, verbose: 0, validationSplit: 0.25 }
  const expected = await line().fit(x, y, options)
  const model = line()
  const beside = model.fit(x, y, {
    ...options,
    callbacks: {
      onTrainBatchEnd: async () => void (await model.evaluate([100], [0], { verbose: 0 })),
      onTestBatchEnd: async () => void (await model.testOnBatch([100], [0])),
    },
  })
  t.deepEqual((await beside).history, expected.history)
})

test('validationSplit takes the last samples, validationData and its forms give the same', async (t) => {
  const options: FitOptions = { epochs: 2, batchSize: 2, verbose: 0, shuffle: false }
  const split = await line().fit(x, y, { ...options, validationSplit: 0.25 })
  const given = await line().fit(x.slice(0, 6), y.slice(0, 6), { ...options, validationData: [x.slice(6), y.slice(6)] })
  t.deepEqual(split.history, given.history)
  t.deepEqual(Object.keys(split.history), ['loss', 'val_loss'])
  const batches = (): Batch[] => [[x.slice(6), y.slice(6)]]
  const iterable = await line().fit(x.slice(0, 6), y.slice(0, 6), { ...options, validationData: batches })
  t.deepEqual(iterable.history, given.history)
  const weighted = await line().fit(x.slice(0, 6), y.slice(0, 6), {
    ...options,
    validationData: [x.slice(6), y.slice(6), [1, 0]],
  })
  t.notDeepEqual(weighted.history['val_loss'], given.history['val_loss'])
  t.deepEqual(weighted.history['loss'], given.history['loss'])
})

test('validationFreq says after which epochs to measure', async (t) => {
  const run = async (validationFreq: number | number[]): Promise<number | undefined> =>
    (await line().fit(x, y, { epochs: 5, verbose: 0, validationSplit: 0.5, validationFreq })).history['val_loss']
      ?.length
  t.is(await run(2), 2)
  t.is(await run([1, 4, 5]), 3)
})

test('epochs is the number of the last one', async (t) => {
  const history = await line().fit(x, y, { initialEpoch: 3, epochs: 5, verbose: 0 })
  t.deepEqual(history.epoch, [3, 4])
  t.deepEqual((await line().fit(x, y, { epochs: 0, verbose: 0 })).history, {})
})

test('the loss of an epoch is weighted by the size of its batches', async (t) => {
  // As in Keras 3.15.1: batches of 2 and 1 with losses 0 + 1 and 4 + 16 over a model that answers 0.
  const { history } = await line(0).fit([0, 0, 0], [1, 2, 4], { batchSize: 2, shuffle: false, verbose: 0 })
  t.is(history['loss']?.[0], 7)
})

test('classWeight weighs samples, missing classes have weight 1', async (t) => {
  const evaluate = async (options: FitOptions, targets: number[]): Promise<number> =>
    (await line(0).fit([0, 0, 0], targets, { shuffle: false, verbose: 0, ...options })).history['loss']?.[0] as number
  t.is(await evaluate({ classWeight: { 0: 5, 2: 3 } }, [0, 1, 2]), Math.fround((1 + 3 * 4) / 3))
  t.is(await evaluate({ classWeight: new Map([[2, 3]]) }, [0, 1, 2]), Math.fround((1 + 3 * 4) / 3))
  await t.throwsAsync(line().fit(x, y, { classWeight: { 0: 1 }, sampleWeight: x, verbose: 0 }), {
    message: /either 'classWeight' or 'sampleWeight'/,
  })
  await t.throwsAsync(line().fit(x, y, { classWeight: [1, 2] as never, verbose: 0 }), {
    message: /'classWeight' must be an object or a Map/,
  })
})

test('options are checked before anything happens', async (t) => {
  const cases: readonly [object, RegExp][] = [
    [{ batchsize: 2 }, /unknown option 'batchsize'/],
    [{ batchSize: 0 }, /'batchSize' must be an integer >= 1. Received: 0/],
    [{ epochs: 1.5 }, /'epochs' must be an integer >= 0/],
    [{ verbose: 3 }, /'verbose' must be 0, 1, 2 or 'auto'/],
    [{ validationSplit: 1 }, /'validationSplit' must be a number >= 0 and < 1/],
    [{ validationFreq: 0 }, /'validationFreq' must be an integer >= 1/],
    [{ validationData: 7 }, /'validationData' must be \[x, y\]/],
    [{ shuffle: 'yes' }, /'shuffle' must be true, false or 'batch'/],
    [{ signal: {} }, /'signal' must be an AbortSignal/],
    [{ callbacks: [7] }, /expected callbacks: objects of a class that extends Callback/],
    [{ callbacks: { onEpochFinished: () => undefined } }, /received 'onEpochFinished'/],
  ]
  for (const [options, message] of cases)
    await t.throwsAsync(line().fit(x, y, options as FitOptions), { code: 'CONFIG', message }, JSON.stringify(options))
})

test('trainOnBatch reports each batch by itself', async (t) => {
  const model = line()
  const first = await model.trainOnBatch(x, y)
  const again = await line().fit(x, y, { batchSize: 8, verbose: 0 })
  t.is(first['loss'], again.history['loss']?.[0])
  const second = await model.trainOnBatch(x, y)
  t.not(second['loss'], first['loss'])
  t.is(
    (await model.testOnBatch([0], [1], { sampleWeight: [2] }))['loss'],
    2 * ((await model.testOnBatch([0], [1]))['loss'] as number),
  )
})

test('frozen layers stay as they are, and a change after compile warns', async (t) => {
  const input = Input({ shape: [1] })
  const first = layers.Dense({ units: 2 })
  const model = Model({ inputs: input, outputs: layers.Dense({ units: 1 })(first(input)) })
  first.trainable = false
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const before = first.getWeights().map((w: Tensor) => [...w.data])
  await model.fit(x, y, { verbose: 0 })
  t.deepEqual(
    first.getWeights().map((w: Tensor) => [...w.data]),
    before,
  )
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  first.trainable = true
  await model.fit(x, y, { verbose: 0 })
  t.regex((await warned).message, /'trainable' changed after compile/)
})

test('the moving average replaces the weights at the end of fit', async (t) => {
  const model = line()
  model.compile({ optimizer: optimizers.SGD({ learningRate: 0.01, useEma: true, emaMomentum: 0.5 }), loss: 'mse' })
  await model.fit(x, y, { epochs: 3, verbose: 0 })
  const [, , kernel, bias] = (model.trainer.optimizer?.variables ?? []).map((v) => [...v.read().data])
  t.deepEqual(weights(model), [kernel, bias])
})
