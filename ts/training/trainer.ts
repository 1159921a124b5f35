import { StateError } from '../core/errors.ts'
import type { Structure } from '../core/tree.ts'
import { currentPrecision } from '../native/settings.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import { CallbackList, callbacksOf, type CallbacksInput } from './callbacks/callback-list.ts'
import type { Logs } from './callbacks/callback.ts'
import { History } from './callbacks/history.ts'
import { ProgressBar } from './callbacks/progress-bar.ts'
import { Compiled, type CompileOptions } from './compile.ts'
import { compileConfigOf, compileOptionsFrom, type CompileConfig, type CustomCompileObjects } from './compile-config.ts'
import { parseClassWeight, type ClassWeight } from './data/class-weight.ts'
import { readInputs, rowsOf } from './data/read.ts'
import { cut } from './data/step-batch.ts'
import { isBatches, type InputData, type TargetData } from './data/types.ts'
import { directReader } from './direct.ts'
import { Epochs } from './epochs.ts'
import { evaluateOptions, runEvaluation, type EvaluateOptions } from './evaluate.ts'
import { runTraining, type FitData, type FitOptions } from './fit.ts'
import { checkBatchesAlone, fitSettings } from './fit-settings.ts'
import { openArrays, openBatches, openColumns, openInputs, openValidation, type Opened } from './open-data.ts'
import { checkOptions, checkSignal, parseVerbose, wholeNumber } from './options.ts'
import { describeOutputs, inputPlaces, type InputPlace } from './outputs.ts'
import {
  joined,
  predictOptions,
  PredictProgram,
  runPrediction,
  type PredictOptions,
  type Prediction,
} from './predict.ts'
import { readColumns, type ReadColumns } from './reader.ts'
import { StepPrograms } from './step-programs.ts'
import type { Trainable } from './trainable.ts'

/** Options of `trainOnBatch` and `testOnBatch`. */
export interface BatchOptions {
  /** Weights of the samples: for each output, or one for all. */
  readonly sampleWeight?: TargetData
  /** Weights of the samples by class, for models with one output; for training only. */
  readonly classWeight?: ClassWeight
  /** Ends the work early: the promise rejects with an AbortError. */
  readonly signal?: AbortSignal
}

/** Options of `describe`. */
export interface DescribeOptions {
  /** Targets: describes a step of training instead of a prediction. */
  readonly y?: TargetData
  /** Runs that time each step, after which no weight has changed. Default: none, and the text has no times. */
  readonly runs?: number
}

/** Trains, evaluates and predicts with a model. */
export class Trainer {
  /** The model. */
  readonly model: Trainable
  /** Set by callbacks to end training after the batch or epoch under way. */
  stopTraining = false
  /** What the last `fit` reported. */
  history: History | undefined
  #compiled: Compiled | undefined
  #training: StepPrograms | undefined
  /** Evaluations that are not under way: each has metric state of its own. */
  #idleEvaluations: StepPrograms[] = []
  readonly #predictions = new Map<string, PredictProgram>()
  #busy: string | undefined

  constructor(model: Trainable) {
    this.model = model
  }

  /** Whether `compile` was called. */
  get compiled(): boolean {
    return this.#compiled !== undefined
  }

  /** The optimizer that `compile` set. */
  get optimizer(): Optimizer | undefined {
    return this.#compiled?.optimizer
  }

  /**
   * Sets optimizer, losses and metrics.
   *
   * @throws ConfigError when a name means nothing, or an option does not fit the outputs; that of a model whose outputs
   * are not known yet comes with the first data.
   * @throws StateError while the model is being trained.
   */
  compile(options: CompileOptions = {}): void {
    if (this.#busy)
      throw new StateError(`'${this.model.name}': expected to be compiled before ${this.#busy}, not during it`)
    const compiled = new Compiled(`'${this.model.name}'`, options)
    const places = inputPlaces(this.model)
    if (places) {
      compiled.connect(describeOutputs(this.model, places))
      compiled.trained = this.model.trainableWeights
    }
    this.#compiled = compiled
    this.#training = new StepPrograms(this.model, compiled, true)
    this.#idleEvaluations = []
  }

  /**
   * Forgets what was made for the model as it was: to be called when layers are added or removed.
   *
   * @throws StateError while the model is being trained.
   */
  invalidate(): void {
    this.#predictions.clear()
    // A model that gets its layers' weights only now was tied to nothing before.
    if (this.#compiled?.outputs) this.compile(this.#compiled.options)
  }

  /** Whether larger or smaller is better for a name in histories and logs, where it is known. */
  directionOf(name: string): 'up' | 'down' | undefined {
    return this.#compiled?.directionOf(name.replace(/^val_/, ''))
  }

  /**
   * Trains for a number of epochs, on the library's own threads.
   *
   * @param x Data for the inputs, or batches `[x, y]` or `[x, y, sampleWeight]`; then `y` is left out.
   * @throws StateError before `compile`, or while the model is trained already.
   * @throws DataError when the data does not fit the model.
   * @throws AbortError when `signal` ended it.
   */
  fit(x: FitData, y?: TargetData, options?: FitOptions): Promise<History>
  fit(batches: FitData, options: FitOptions): Promise<History>
  async fit(x: FitData, y?: TargetData | FitOptions, given?: FitOptions): Promise<History> {
    const [targets, options = {}] =
      isBatches(x) && given === undefined ? [undefined, (y ?? {}) as FitOptions] : [y, given]
    const owner = `'${this.model.name}': fit`
    const compiled = this.#requireCompiled('fit')
    return this.#exclusively('fit', () => this.#fit(owner, compiled, x, targets as TargetData, options))
  }

  async #fit(
    owner: string,
    compiled: Compiled,
    x: FitData,
    y: TargetData | undefined,
    options: FitOptions,
  ): Promise<History> {
    const settings = fitSettings(owner, options)
    const { signal, stepsPerEpoch, validationSteps, verbose, lastEpoch } = settings
    const reading = { owner, model: this.model, compiled, classWeight: settings.classWeight }
    const measured = { batchSize: settings.validationBatchSize, steps: validationSteps }
    let opened: Opened
    let validation = options.validationData ? openValidation(reading, options.validationData, measured) : undefined
    if (isBatches(x)) {
      checkBatchesAlone(owner, y, options)
      opened = openBatches(reading, x)
    } else {
      const arrays = openArrays(
        reading,
        { x, y, sampleWeight: options.sampleWeight },
        { ...settings, steps: stepsPerEpoch },
      )
      if (arrays.aside) validation = openColumns(arrays.aside, measured)
      opened = arrays
    }
    const epochs = new Epochs(owner, opened.source, stepsPerEpoch)
    const history = new History()
    const callbacks = this.#callbacks([...callbacksOf(options.callbacks), history], verbose, lastEpoch, epochs.steps)
    this.stopTraining = false
    this.history = history
    this.#warnIfTrainableChanged(compiled)
    try {
      await runTraining({
        ...settings,
        epochs,
        programs: this.#training as StepPrograms,
        places: opened.places,
        callbacks,
        validate: async (epoch) =>
          validation && settings.measuresAfter(epoch + 1)
            ? this.#measure(owner, compiled, validation, validationSteps, callbacks, signal)
            : undefined,
        stopped: () => this.stopTraining,
        finish: () => compiled.optimizer.finalizeVariables(),
      })
    } finally {
      await epochs.close()
    }
    return history
  }

  #callbacks(
    given: CallbacksInput | undefined,
    verbose: 0 | 1 | 2,
    epochs: number,
    steps: number | undefined,
  ): CallbackList {
    const list = [...callbacksOf(given), ...(verbose === 0 ? [] : [new ProgressBar()])]
    return new CallbackList(list, this, { verbose, epochs, steps })
  }

  /**
   * Measures loss and metrics.
   *
   * @returns The loss and the metrics by name.
   * @throws StateError before `compile`.
   */
  evaluate(x: FitData, y?: TargetData, options?: EvaluateOptions): Promise<Logs>
  evaluate(batches: FitData, options: EvaluateOptions): Promise<Logs>
  async evaluate(x: FitData, y?: TargetData | EvaluateOptions, given?: EvaluateOptions): Promise<Logs> {
    const [targets, options = {}] =
      isBatches(x) && given === undefined ? [undefined, (y ?? {}) as EvaluateOptions] : [y, given]
    const owner = `'${this.model.name}': evaluate`
    const compiled = this.#requireCompiled('evaluate')
    checkOptions(owner, options, evaluateOptions)
    checkSignal(owner, options.signal)
    const steps = wholeNumber(owner, 'steps', options.steps)
    const verbose = parseVerbose(owner, options.verbose, 'auto')
    const batchSize = wholeNumber(owner, 'batchSize', options.batchSize)
    const reading = { owner, model: this.model, compiled }
    if (isBatches(x)) checkBatchesAlone(owner, targets, options)
    const opened = isBatches(x)
      ? openBatches(reading, x)
      : openArrays(reading, { x, y: targets, sampleWeight: options.sampleWeight }, { batchSize, steps })
    const callbacks = this.#callbacks(options.callbacks, verbose, 1, steps ?? opened.source.steps)
    return this.#measure(owner, compiled, opened, steps, callbacks, options.signal)
  }

  async #measure(
    owner: string,
    compiled: Compiled,
    opened: Opened,
    steps: number | undefined,
    callbacks: CallbackList,
    signal: AbortSignal | undefined,
  ): Promise<Logs> {
    const programs = this.#idleEvaluations.pop() ?? new StepPrograms(this.model, compiled, false)
    const epochs = new Epochs(owner, opened.source, steps)
    try {
      return await runEvaluation({ epochs, programs, places: opened.places, callbacks, signal })
    } finally {
      if (this.#compiled === compiled) this.#idleEvaluations.push(programs)
      await epochs.close()
    }
  }

  /**
   * Computes the outputs, on the library's own threads.
   *
   * @returns A tensor, or tensors in the structure of the model's outputs.
   */
  async predict(x: FitData, options: PredictOptions = {}): Promise<Prediction> {
    const owner = `'${this.model.name}': predict`
    checkOptions(owner, options, predictOptions)
    checkSignal(owner, options.signal)
    const steps = wholeNumber(owner, 'steps', options.steps)
    const verbose = parseVerbose(owner, options.verbose, 0)
    const batchSize = wholeNumber(owner, 'batchSize', options.batchSize)
    // Without callbacks the first batch is handed over before this returns.
    const lasting = options.callbacks === undefined && verbose === 0
    const { source, places } = openInputs(owner, this.model, x, { batchSize, steps, lasting })
    const epochs = new Epochs(owner, source, steps)
    const callbacks = this.#callbacks(options.callbacks, verbose, 1, epochs.steps)
    try {
      return await runPrediction({
        epochs,
        program: () => this.#prediction(places()),
        callbacks,
        signal: options.signal,
      })
    } finally {
      await epochs.close()
    }
  }

  /** Computes the outputs on the calling thread, which waits: right for small work. */
  predictSync(x: InputData, options: { readonly batchSize?: number } = {}): Prediction {
    const direct = this.#predictDirectly(x, options)
    if (direct) return direct
    const owner = `'${this.model.name}': predictSync`
    checkOptions(owner, options, ['batchSize'])
    const { columns, places } = readInputs(this.model, x)
    const all = { inputs: columns, targets: [], weights: [] }
    const rows = rowsOf(owner, all)
    const batchSize = wholeNumber(owner, 'batchSize', options.batchSize) ?? 32
    const program = this.#prediction(places)
    const outputs = [program.runSync(cut(all, 0, Math.min(rows, batchSize)))]
    for (let start = batchSize; start < rows; start += batchSize) {
      outputs.push(program.runSync(cut(all, start, Math.min(rows, start + batchSize))))
    }
    return program.pack(joined(outputs))
  }

  /** The same for one small batch of plain data; `undefined` for any other. */
  #predictDirectly(x: InputData, options: { readonly batchSize?: number }): Prediction | undefined {
    const places = inputPlaces(this.model)
    const reader = places && directReader(places)
    if (!reader || typeof options !== 'object' || options === null || Array.isArray(options)) return undefined
    for (const option in options) if (option !== 'batchSize') return undefined
    const { batchSize = 32 } = options
    const inputs = Number.isSafeInteger(batchSize) ? reader.read(x, batchSize) : undefined
    return inputs && this.#prediction(places).runDirectly(inputs, reader.types)
  }

  /** Computes the outputs for one batch. */
  async predictOnBatch(x: InputData): Promise<Prediction> {
    const { columns, places } = readInputs(this.model, x)
    const all = { inputs: columns, targets: [], weights: [] }
    const batch = cut(all, 0, rowsOf(`'${this.model.name}': predictOnBatch`, all))
    const program = this.#prediction(places)
    return program.pack(await program.run(batch))
  }

  /** One step of the optimizer on one batch; returns the loss and the metrics of this batch before the step. */
  async trainOnBatch(x: InputData, y?: TargetData, options: BatchOptions = {}): Promise<Logs> {
    const compiled = this.#requireCompiled('trainOnBatch')
    checkOptions(`'${this.model.name}': trainOnBatch`, options, ['sampleWeight', 'classWeight', 'signal'])
    return this.#exclusively('trainOnBatch', () => {
      const classWeight =
        options.classWeight === undefined
          ? undefined
          : parseClassWeight(`'${this.model.name}': trainOnBatch`, options.classWeight)
      const read = readColumns(this.model, compiled, { x, y, sampleWeight: options.sampleWeight }, classWeight)
      return this.#onBatch('trainOnBatch', this.#training as StepPrograms, read, options.signal)
    })
  }

  /** The loss and the metrics of one batch. */
  async testOnBatch(x: InputData, y?: TargetData, options: Omit<BatchOptions, 'classWeight'> = {}): Promise<Logs> {
    const compiled = this.#requireCompiled('testOnBatch')
    checkOptions(`'${this.model.name}': testOnBatch`, options, ['sampleWeight', 'signal'])
    const read = readColumns(this.model, compiled, { x, y, sampleWeight: options.sampleWeight })
    const programs = this.#idleEvaluations.pop() ?? new StepPrograms(this.model, compiled, false)
    try {
      return await this.#onBatch('testOnBatch', programs, read, options.signal)
    } finally {
      if (this.#compiled === compiled) this.#idleEvaluations.push(programs)
    }
  }

  async #onBatch(
    method: string,
    programs: StepPrograms,
    read: ReadColumns,
    signal: AbortSignal | undefined,
  ): Promise<Logs> {
    const owner = `'${this.model.name}': ${method}`
    checkSignal(owner, signal)
    const batch = cut(read, 0, rowsOf(owner, read))
    return programs.for(read.places, batch, true).run(batch, signal)
  }

  /**
   * What prediction, or with `y` training, does with one batch, as text for people. See {@link DescribeOptions}.
   *
   * @throws StateError with `y` before `compile`.
   */
  describe(x: InputData, options: DescribeOptions = {}): string {
    const owner = `'${this.model.name}': describe`
    checkOptions(owner, options, ['y', 'runs'])
    const runs = wholeNumber(owner, 'runs', options.runs)
    const read =
      options.y === undefined
        ? readInputs(this.model, x)
        : readColumns(this.model, this.#requireCompiled('describe with y'), { x, y: options.y, sampleWeight: undefined })
    const all = 'targets' in read ? read : { inputs: read.columns, targets: [], weights: [] }
    const batch = cut(all, 0, rowsOf(owner, all))
    const training = options.y === undefined ? undefined : this.#training
    const program = training ? training.for(read.places, batch) : this.#prediction(read.places)
    return program.describe(batch, runs)
  }

  /** What was given to `compile`, in the form of Keras's files; `undefined` before. */
  compileConfig(): CompileConfig | undefined {
    return this.#compiled && compileConfigOf(this.#compiled)
  }

  /**
   * Compiles as one of Keras's files says, and makes the optimizer's variables if the model is built.
   *
   * @param customObjects Functions and classes of the user's, by the names in the file.
   */
  compileFromConfig(config: Readonly<Record<string, unknown>>, customObjects: CustomCompileObjects = {}): void {
    this.compile(compileOptionsFrom(config, customObjects))
    const { trained, optimizer } = this.#requireCompiled('compileFromConfig')
    if (trained) optimizer.build(trained)
  }

  #requireCompiled(method: string): Compiled {
    if (this.#compiled) return this.#compiled
    throw new StateError(`'${this.model.name}': expected compile to be called before ${method}`)
  }

  async #exclusively<R>(method: string, body: () => Promise<R>): Promise<R> {
    if (this.#busy)
      throw new StateError(
        `'${this.model.name}': ${method} is called while ${this.#busy} is under way; wait for its promise first`,
      )
    this.#busy = method
    try {
      return await body()
    } finally {
      this.#busy = undefined
    }
  }

  #warnIfTrainableChanged({ trained }: Compiled): void {
    const now = this.model.trainableWeights
    if (!trained || (now.length === trained.length && now.every((variable, i) => variable === trained[i]))) return
    process.emitWarning(
      `'${this.model.name}': 'trainable' changed after compile and has no effect until compile is called again`,
      {
        code: 'FERROGRAPH_TRAINABLE_CHANGED',
      },
    )
  }

  #prediction(places: Structure<InputPlace>): PredictProgram {
    const key = currentPrecision() + (this.model.inputDescriptions === undefined ? JSON.stringify(places) : '')
    const known = this.#predictions.get(key)
    if (known) return known
    const program = new PredictProgram(this.model, places)
    if (this.#predictions.size >= 32) this.#predictions.clear()
    this.#predictions.set(key, program)
    return program
  }
}
