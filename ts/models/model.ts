import { ConfigError, StateError } from '../core/errors.ts'
import { show, toKerasKey } from '../core/names.ts'
import { nodeOf } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { parsePython, stringifyPython } from '../core/python-json.ts'
import { registeredNameOf, type SerializedObject } from '../core/registry.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { declaredLeaves, flatten, isPlainObject, mapStructure, type Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import { Input } from '../layers/input-layer.ts'
import { Layer, type CallContext, type LayerConfig } from '../layers/layer.ts'
import type { Variable } from '../native/variable.ts'
import { loadWeights, saveModel, saveWeights, type LoadWeightsOptions, type SaveOptions } from '../saving/files.ts'
import type { InputDescription, Trainable } from '../training/trainable.ts'
import type { Logs } from '../training/callbacks/callback.ts'
import type { History } from '../training/callbacks/history.ts'
import type { CompileOptions } from '../training/compile.ts'
import type { InputData, TargetData } from '../training/data/types.ts'
import type { EvaluateOptions } from '../training/evaluate.ts'
import type { FitData, FitOptions } from '../training/fit.ts'
import type { PredictOptions, Prediction } from '../training/predict.ts'
import { Trainer, type BatchOptions, type DescribeOptions } from '../training/trainer.ts'
import { summary, type SummarizedModel, type SummaryOptions } from '../viz/summary.ts'
import { deserializeGraph, serializeGraph } from './functional-config.ts'
import { FunctionalGraph } from './functional-graph.ts'
import type { CustomObjects } from './layer-config.ts'
import { stringifyModel } from './model-json.ts'

/** Options of a functional model. */
export interface FunctionalConfig extends LayerConfig {
  /** A tensor made by `Input`, or an array or object of them. */
  readonly inputs: Structure<SymbolicTensor>
  /** A tensor, or an array or object of them; `predict` returns the same structure. */
  readonly outputs: Structure<SymbolicTensor>
}

/** The two options that every serialized model has. */
export function nameAndTrainable(config: Readonly<Record<string, unknown>>): { name?: string; trainable?: boolean } {
  return {
    ...(typeof config['name'] === 'string' ? { name: config['name'] } : {}),
    ...(typeof config['trainable'] === 'boolean' ? { trainable: config['trainable'] } : {}),
  }
}

function inputsOf(shape: unknown): Structure<SymbolicTensor> {
  if (Array.isArray(shape) && shape.every((extent) => extent === null || typeof extent === 'number')) return Input({ batchShape: shape })
  if (Array.isArray(shape)) return shape.map(inputsOf)
  if (isPlainObject(shape)) return Object.fromEntries(Object.entries(shape).map(([key, member]) => [key, inputsOf(member)]))
  throw new ConfigError(`expected a shape or a structure of shapes, received ${show(shape)}`)
}

/**
 * A model: a layer that can be trained, evaluated, summarized and saved.
 *
 * `Model({ inputs, outputs })` makes a functional one from symbolic tensors. A class that extends it makes layers in
 * its constructor and computes in `call`.
 */
export class Model extends Layer implements Trainable {
  /** @internal What a functional model computes. */
  graph: FunctionalGraph | undefined
  readonly #trainer: Trainer = new Trainer(this)

  constructor(config: FunctionalConfig | LayerConfig = {}) {
    super(config)
    this.supportsMasking = true
    if ('inputs' in config || 'outputs' in config) this.#connect(config as FunctionalConfig)
  }

  #connect(config: FunctionalConfig): void {
    const unknown = Object.keys(config).find((key) => !['inputs', 'outputs', 'name', 'trainable', 'dtype'].includes(key))
    if (unknown) throw new ConfigError(`${this.className}: unknown option '${unknown}'; expected inputs, outputs, name, trainable`)
    this.setGraph(new FunctionalGraph(`${this.className} '${this.name}'`, config.inputs, config.outputs))
    if (config.trainable === false) this.trainable = false
  }

  /** @internal */
  protected setGraph(graph: FunctionalGraph): void {
    this.graph = graph
    this.built = true
  }

  /** @internal */
  override get className(): string {
    return this.constructor === Model ? 'Functional' : super.className
  }

  override call(inputs: Structure<SymbolicTensor>, _context: CallContext): Structure<SymbolicTensor> {
    if (!this.graph) throw new ConfigError(`${this.className} '${this.name}': a model made without inputs and outputs needs a 'call' of its own`)
    return this.graph.run(`${this.className} '${this.name}'`, inputs)
  }

  override computeMask(_inputs: Structure<SymbolicTensor>, _mask: unknown, outputs: Structure<SymbolicTensor>): Structure<SymbolicTensor | undefined> {
    return mapStructure(outputs, (output) => output.mask as unknown) as Structure<SymbolicTensor | undefined>
  }

  /** @internal The model in the form of Keras's files. */
  kerasObject(): SerializedObject {
    const compile = { compile_config: this.#trainer.compileConfig() ?? {} }
    if (this.constructor === Model && this.graph) {
      return {
        module: 'keras.src.models.functional',
        class_name: 'Functional',
        config: this.kerasConfig(),
        registered_name: 'Functional',
        build_config: { input_shape: null },
        ...compile,
      }
    }
    return {
      module: null,
      class_name: this.className,
      config: Object.fromEntries(Object.entries(this.getConfig()).map(([key, value]) => [toKerasKey(key), value])),
      registered_name: registeredNameOf(this.constructor) ?? this.className,
      ...(this.buildShape === undefined ? {} : { build_config: { input_shape: this.buildShape } }),
      ...compile,
    }
  }

  /** @internal The configuration of a functional model in the form of Keras's files. */
  kerasConfig(): Record<string, unknown> {
    return { name: this.name, trainable: this.trainable, ...serializeGraph(this.#functional('configuration')) }
  }

  /** The options from which {@link Model.fromConfig} makes the model again, as plain JSON in Keras's form. */
  override getConfig(): Record<string, unknown> {
    if (this.constructor !== Model) return super.getConfig()
    return parsePython(stringifyPython(this.kerasConfig()), `'${this.name}'`) as Record<string, unknown>
  }

  /** Makes a model with new weights from what {@link Model.getConfig} returned. */
  static override fromConfig(this: new (config: never) => Layer, config: Record<string, unknown>, customObjects: CustomObjects = {}): Layer {
    if (this.prototype !== Model.prototype) return new this(config as never)
    return Model.fromKerasConfig(config, customObjects)
  }

  /** @internal */
  static fromKerasConfig(config: Record<string, unknown>, customObjects: CustomObjects = {}): Model {
    const { inputs, outputs } = deserializeGraph(config, customObjects)
    return new Model({ inputs, outputs, ...nameAndTrainable(config) })
  }

  /** @internal Variables of the optimizer in Keras's order; none before it is built. */
  get optimizerVariables(): readonly Variable[] {
    return this.#trainer.optimizer?.variables ?? []
  }

  /** @internal */
  override get savedChildren(): [property: string, child: Layer | Layer[]][] {
    return this.graph ? [['layers', this.layers], ...super.savedChildren] : super.savedChildren
  }

  /** @internal Builds a subclassed model by calling it on symbolic tensors of these shapes. */
  buildFor(shape: unknown): void {
    this(inputsOf(shape))
  }

  /** @internal */
  override get sublayers(): Layer[] {
    return this.graph ? [...new Set([...this.graph.layers, ...super.sublayers])] : super.sublayers
  }

  /** The layers: of a functional model in Keras's order, else in the order of the properties that hold them. */
  get layers(): Layer[] {
    return this.graph ? this.graph.layers : this.sublayers
  }

  /** Layers and ops in the order of the summary. */
  get operations(): readonly Operation[] {
    return this.graph ? this.graph.operations : this.sublayers
  }

  /** The inputs of a functional model, flat. */
  get inputs(): SymbolicTensor[] {
    return flatten(this.#functional('inputs').inputs)
  }

  /** The outputs of a functional model, flat. */
  get outputs(): SymbolicTensor[] {
    return flatten(this.#functional('outputs').outputs)
  }

  /** The input or inputs of a functional model, in their structure. */
  override get input(): SymbolicTensor & SymbolicTensor[] {
    return this.#functional('input').inputs as SymbolicTensor & SymbolicTensor[]
  }

  /** The output or outputs of a functional model, in their structure. */
  override get output(): SymbolicTensor & SymbolicTensor[] {
    return this.#functional('output').outputs as SymbolicTensor & SymbolicTensor[]
  }

  /** The shape or shapes of the inputs, in their structure. */
  get inputShape(): Structure<Shape> {
    return mapStructure(this.#functional('inputShape').inputs, (t) => t.shape as unknown) as Structure<Shape>
  }

  /** The shape or shapes of the outputs, in their structure. */
  get outputShape(): Structure<Shape> {
    return mapStructure(this.#functional('outputShape').outputs, (t) => t.shape as unknown) as Structure<Shape>
  }

  #functional(what: string): FunctionalGraph {
    if (this.graph) return this.graph
    throw new StateError(`'${this.name}' has no '${what}': only functional models, and Sequential ones that know their input, have`)
  }

  /** @internal */
  get inputDescriptions(): Structure<InputDescription> | undefined {
    return this.graph?.inputDescriptions
  }

  /** @internal */
  outputNames(outputs: Structure<SymbolicTensor>): Structure<string> {
    const keys = new Map(declaredLeaves(outputs as Structure<unknown>).map(({ path, leaf }) => [leaf, path]))
    const own = this.graph && flatten(this.graph.outputs)
    const used = new Map<string, number>()
    let index = 0
    return mapStructure(outputs, (output) => {
      const path = keys.get(output) ?? []
      const declared = isPlainObject(outputs) ? path.join('_') : undefined
      const name = declared ?? nodeOf(own?.[index] ?? output)?.operation.name ?? (index === 0 ? 'output' : `output_${index}`)
      index++
      const count = used.get(name) ?? 0
      used.set(name, count + 1)
      return count === 0 ? name : `${name}_${count}`
    })
  }

  /**
   * Finds a layer by its name, or by its place in {@link Model.layers}.
   *
   * @throws ConfigError when there is none.
   */
  getLayer(which: string | number): Layer {
    const { layers } = this
    const found = typeof which === 'number' ? layers.at(which) : layers.find((layer) => layer.name === which)
    if (found) return found
    throw new ConfigError(`'${this.name}' has no layer ${show(which)}. Existing layers: ${layers.map((layer) => layer.name).join(', ')}`)
  }

  /**
   * Sets optimizer, losses and metrics. Default optimizer: `'rmsprop'`.
   *
   * @throws ConfigError when a name means nothing or an option does not fit the outputs.
   */
  compile(options: CompileOptions = {}): void {
    this.#trainer.compile(options)
  }

  /**
   * Trains for a number of epochs, on the library's own threads. Arrays are read while it trains, batch by batch: they must
   * not change until the promise is settled.
   *
   * @param x Data for the inputs in their structure, or an (async) iterable of batches `[x, y]` or `[x, y, sampleWeight]`;
   * then `y` is left out.
   * @returns What happened, by name and epoch, in `history`.
   * @throws StateError before `compile`, or while the model is trained already.
   * @throws DataError when the data does not fit the model.
   * @throws AbortError when `signal` ended it; the weights are those of the last finished step.
   */
  fit(x: FitData, y?: TargetData, options?: FitOptions): Promise<History>
  fit(batches: FitData, options: FitOptions): Promise<History>
  fit(x: FitData, y?: TargetData | FitOptions, options?: FitOptions): Promise<History> {
    return this.#trainer.fit(x, y as TargetData, options as FitOptions)
  }

  /**
   * Measures loss and metrics.
   *
   * @returns The loss and the metrics by name.
   * @throws StateError before `compile`.
   */
  evaluate(x: FitData, y?: TargetData, options?: EvaluateOptions): Promise<Logs>
  evaluate(batches: FitData, options: EvaluateOptions): Promise<Logs>
  evaluate(x: FitData, y?: TargetData | EvaluateOptions, options?: EvaluateOptions): Promise<Logs> {
    return this.#trainer.evaluate(x, y as TargetData, options as EvaluateOptions)
  }

  /**
   * Computes the outputs batch by batch, on the library's own threads. Arrays are copied before this returns its promise,
   * so they may change afterwards.
   *
   * @returns A tensor, or tensors in the structure of the model's outputs.
   */
  predict(x: FitData, options: PredictOptions = {}): Promise<Prediction> {
    return this.#trainer.predict(x, options)
  }

  /** Computes the outputs on the calling thread, which waits: right for small work. */
  predictSync(x: InputData, options: { readonly batchSize?: number } = {}): Prediction {
    return this.#trainer.predictSync(x, options)
  }

  /** Computes the outputs for one batch, on the library's own threads. */
  predictOnBatch(x: InputData): Promise<Prediction> {
    return this.#trainer.predictOnBatch(x)
  }

  /** One step of the optimizer on one batch; returns the loss and the metrics of this batch before the step. */
  trainOnBatch(x: InputData, y?: TargetData, options: BatchOptions = {}): Promise<Logs> {
    return this.#trainer.trainOnBatch(x, y, options)
  }

  /** The loss and the metrics of one batch. */
  testOnBatch(x: InputData, y?: TargetData, options: Omit<BatchOptions, 'classWeight'> = {}): Promise<Logs> {
    return this.#trainer.testOnBatch(x, y, options)
  }

  /**
   * What a prediction does with `x` as one batch, or with `y` a step of training, as text for people: one line for each
   * step with the ops that it joins, its kernel, where it reads and writes, and shapes; at the end the bytes that a run
   * works in. With `runs` every step is timed on the calling thread, which waits.
   *
   * @throws StateError with `y` before `compile`.
   */
  describe(x: InputData, options: DescribeOptions = {}): string {
    return this.#trainer.describe(x, options)
  }

  /** Whether training is to end after the batch or epoch under way: callbacks set it. */
  get stopTraining(): boolean {
    return this.#trainer.stopTraining
  }

  set stopTraining(stop: boolean) {
    this.#trainer.stopTraining = stop
  }

  /** @internal */
  get trainer(): Trainer {
    return this.#trainer
  }

  /** Prints a table of the layers with shapes and numbers of parameters. */
  summary(options: SummaryOptions = {}): void {
    const print = options.print ?? ((text: string) => process.stdout.write(`${text}\n`))
    print(summary(this.#summarized(), options))
  }

  #summarized(): SummarizedModel {
    return {
      name: this.name,
      operations: this.operations,
      nodes: this.operations === this.graph?.operations ? this.graph.nodes : undefined,
      trainableWeights: this.trainableWeights,
      nonTrainableWeights: this.nonTrainableWeights,
      optimizerVariables: this.optimizerVariables,
    }
  }

  /** The model as the JSON text that Keras's `model_from_json` reads: architecture without weights. */
  toJSON(): string {
    return stringifyModel(this)
  }

  /** Writes the whole model to a `.keras` file: architecture, weights, compile options and optimizer state. */
  save(path: string | URL, options: SaveOptions = {}): Promise<void> {
    return saveModel(this, path, options)
  }

  /** Writes the weights to a `.weights.h5` file. */
  saveWeights(path: string | URL, options: SaveOptions = {}): Promise<void> {
    return saveWeights(this, path, options)
  }

  /** Reads the weights from a `.weights.h5` or `.keras` file. Nothing changes unless all of them fit. */
  loadWeights(path: string | URL, options: LoadWeightsOptions = {}): Promise<void> {
    return loadWeights(this, path, options)
  }
}

