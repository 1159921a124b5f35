import { getConstraint } from '../constraints/constraint.ts'
import { Callable } from '../core/callable.ts'
import { ConfigError, ShapeError, StateError } from '../core/errors.ts'
import { checkName, show, toKerasKey, toSnakeCase, uniqueName } from '../core/names.ts'
import { tensorsOf, type CallArguments, type Node } from '../core/node.ts'
import { firstInput, firstOutput, type Operation } from '../core/operation.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import { flatten, isPlainObject, mapStructure, type Structure } from '../core/tree.ts'
import { formatShape, type Shape } from '../core/types.ts'
import { getInitializer } from '../initializers/initializer.ts'
import { Tensor, tensor, type TensorLike } from '../native/tensor.ts'
import { currentTrace, traceOf, withoutTrace, type Trace } from '../native/trace.ts'
import { Variable } from '../native/variable.ts'
import * as ops from '../ops/index.ts'
import { callOnNodes, named, runNow } from '../ops/op.ts'
import { getRegularizer, type Regularizer } from '../regularizers/regularizer.ts'
import type { CallContext, CallOptions, InputSpec, LayerConfig, Masks, WeightOptions } from './layer-options.ts'
import { masksGiven, masksOf, withMasks } from './masks.ts'

export { layerOptions, type CallContext, type CallOptions, type InputSpec, type LayerConfig, type Masks, type WeightOptions } from './layer-options.ts'

/** Layers are functions: called on symbolic tensors they extend a model, called on data they compute at once. */
export interface Layer {
  <R extends Structure<SymbolicTensor> = SymbolicTensor>(inputs: Structure<SymbolicTensor>, options?: CallOptions): R
  <R extends Structure<Tensor> = Tensor>(inputs: Structure<TensorLike>, options?: CallOptions): R
}

/**
 * The base of all layers: configuration, variables and a `call` written in ops.
 *
 * A layer of your own extends it, makes its weights in `build` with {@link Layer.addWeight} and computes in `call`.
 * Shapes, gradients and fusion follow from the ops; `call` may be traced many times and has no side effects but
 * assigning variables.
 *
 * ```ts
 * class Scale extends Layer {
 *   declare scale: Variable
 *   override build(shape: Shape): void {
 *     this.scale = this.addWeight({ name: 'scale', shape: [shape.at(-1)!], initializer: 'ones' })
 *   }
 *   override call(x: SymbolicTensor): SymbolicTensor {
 *     return ops.multiply(x, this.scale)
 *   }
 * }
 * ```
 */
export class Layer extends Callable implements Operation {
  /** The class's name in files. */
  static className: string = 'Layer'

  /** The name, unique within a model. */
  readonly name: string
  /** The calls so far on symbolic tensors. */
  readonly inboundNodes: Node[] = []
  /** Whether the weights exist. */
  built = false
  /** What is demanded of the input; `build` may narrow it. */
  inputSpec: InputSpec | undefined
  /** Whether a mask of the input is also the mask of the result. */
  supportsMasking = false
  /** A penalty on the result, added to the loss. */
  activityRegularizer: Regularizer | null = null
  /** @internal The shape the layer was built for. */
  buildShape: Structure<Shape> | undefined
  #trainable: boolean
  readonly #ownWeights: Variable[] = []
  readonly #ownState: Variable[] = []
  readonly #given: Readonly<Record<string, unknown>>

  constructor(config: LayerConfig = {}) {
    super()
    const owner = this.className
    if (config === null || typeof config !== 'object') {
      throw new ConfigError(`${owner}: expected an object of options, received ${show(config)}`)
    }
    checkDType(owner, config.dtype)
    if (config.trainable !== undefined && typeof config.trainable !== 'boolean') {
      throw new ConfigError(`${owner}: 'trainable' must be true or false. Received: ${show(config.trainable)}`)
    }
    this.name = config.name === undefined ? uniqueName(toSnakeCase(owner)) : checkName(owner, config.name)
    this.#trainable = config.trainable ?? true
    if (config.activityRegularizer) this.activityRegularizer = getRegularizer(config.activityRegularizer)
    this.#given = config as Readonly<Record<string, unknown>>
  }

  /** The class's name in files: its own `className`, else the name of the class. */
  get className(): string {
    const type = this.constructor as typeof Layer
    return Object.hasOwn(type, 'className') ? type.className : type.name
  }

  /** @internal Under which name files keep the layer's own variables: a recurrent layer's are its cell's. */
  get variablesPath(): string {
    return ''
  }

  /**
   * Makes the weights, once, when the shape of the first input is known.
   *
   * @param _inputShape The shape, or the shapes in the structure of the inputs.
   */
  build(_inputShape: Structure<Shape>): void {}

  /**
   * Computes the results, written in ops.
   *
   * @param inputs One tensor, or the structure that the layer was called on.
   * @param _context `training`, `mask` and whatever options the caller gave.
   */
  call(inputs: Structure<SymbolicTensor>, _context: CallContext): Structure<SymbolicTensor> {
    return inputs
  }

  /** The mask of the result. Default: the input's own mask where {@link Layer.supportsMasking}, else none. */
  computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks, _outputs: Structure<SymbolicTensor>): Masks {
    return this.supportsMasking && mask instanceof SymbolicTensor ? mask : undefined
  }

  /** The options from which the constructor makes the layer again, as plain JSON. */
  getConfig(): Record<string, unknown> {
    return { ...plainPart(this.#given), name: this.name, trainable: this.#trainable }
  }

  /** Makes a layer from what {@link Layer.getConfig} returned. */
  static fromConfig(this: new (config: never) => Layer, config: Record<string, unknown>): Layer {
    return new this(config as never)
  }

  /** Whether training changes the weights of this layer and of those inside it. */
  get trainable(): boolean {
    return this.#trainable
  }

  set trainable(value: boolean) {
    this.#trainable = value
    for (const layer of this.sublayers) layer.trainable = value
  }

  /** @internal The layers that this one holds, in the order of its properties. */
  get sublayers(): Layer[] {
    const found = new Set<Layer>()
    for (const [key, value] of Object.entries(this)) {
      if (key !== 'inboundNodes') collectLayers(value, found, 0)
    }
    found.delete(this)
    return [...found]
  }

  /** @internal What files keep below this layer: layers and lists of layers, by the property that holds them. */
  get savedChildren(): [property: string, child: Layer | Layer[]][] {
    const children: [string, Layer | Layer[]][] = []
    for (const [key, value] of Object.entries(this).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (value instanceof Layer) children.push([toKerasKey(key), value])
      else if (key !== 'inboundNodes' && (Array.isArray(value) || isPlainObject(value))) {
        const list = (Array.isArray(value) ? value : Object.values(value)).filter((item) => item instanceof Layer)
        if (list.length > 0) children.push([toKerasKey(key), list])
      }
    }
    return children
  }

  /** @internal The layer's own weights, without those of layers inside it: trainable ones first. */
  get ownWeights(): readonly Variable[] {
    return [...this.#ownWeights.filter((v) => v.trainable), ...this.#ownWeights.filter((v) => !v.trainable)]
  }

  /** All weights: trainable ones, then the others, each layer's own before those of layers inside it. */
  get weights(): Variable[] {
    return unique([...this.ownWeights, ...this.sublayers.flatMap((layer) => layer.weights)])
  }

  /** The weights that training changes. */
  get trainableWeights(): Variable[] {
    if (!this.#trainable) return []
    return unique([...this.#ownWeights.filter((v) => v.trainable), ...this.sublayers.flatMap((l) => l.trainableWeights)])
  }

  /** The weights that training does not change, such as moving averages and those of frozen layers. */
  get nonTrainableWeights(): Variable[] {
    const trainable = new Set(this.trainableWeights)
    return this.weights.filter((variable) => !trainable.has(variable))
  }

  /** @internal Variables that are no weights: the state of random numbers. */
  get state(): Variable[] {
    return unique([...this.#ownState, ...this.sublayers.flatMap((layer) => layer.state)])
  }

  /** The number of elements of all weights, each weight counted once. */
  countParams(): number {
    if (!this.built) throw new StateError(`'${this.name}': expected a layer that was built, so that its weights can be counted`)
    return this.weights.reduce((n, variable) => n + variable.shape.reduce((m, extent) => m * extent, 1), 0)
  }

  /** The values of {@link Layer.weights}. */
  getWeights(): Tensor[] {
    return this.weights.map((variable) => variable.read())
  }

  /**
   * Replaces the values of {@link Layer.weights}; all of them are checked before the first is replaced.
   *
   * @throws ShapeError when their number or a shape differs.
   */
  setWeights(values: readonly TensorLike[]): void {
    const { weights } = this
    if (values.length !== weights.length) {
      throw new ShapeError(`setWeights: '${this.name}' has ${weights.length} weights, received ${values.length}`)
    }
    const next = values.map((value, i) => {
      const variable = weights[i] as Variable
      const given = value instanceof Tensor ? value : tensor(value, undefined, variable.dtype)
      if (formatShape(given.shape) !== formatShape(variable.shape) || given.dtype !== variable.dtype) {
        throw new ShapeError(
          `setWeights: '${variable.path}' expected ${variable.dtype}${formatShape(variable.shape)}, received ${given.dtype}${formatShape(given.shape)}`,
          { variable: variable.path },
        )
      }
      return given
    })
    next.forEach((value, i) => weights[i]?.assign(value))
  }

  /** The tensor or tensors that the first call on symbolic tensors was made on. */
  get input(): SymbolicTensor | SymbolicTensor[] {
    return firstInput(this)
  }

  /** The tensor or tensors that the first call on symbolic tensors returned. */
  get output(): SymbolicTensor | SymbolicTensor[] {
    return firstOutput(this)
  }

  /** Makes a weight. */
  addWeight(options: WeightOptions): Variable {
    const dtype = options.dtype ?? 'float32'
    const shape = options.shape.map((extent) => {
      if (typeof extent === 'number' && Number.isSafeInteger(extent) && extent >= 0) return extent
      throw new ShapeError(`${this.className} '${this.name}': expected a weight '${options.name}' of known shape, received ${formatShape(options.shape)}`)
    })
    const initializer = getInitializer(options.initializer ?? (dtype === 'float32' ? 'glorot_uniform' : 'zeros'))
    const value = withoutTrace(() => initializer.make(shape, dtype))
    const regularizer = options.regularizer ? getRegularizer(options.regularizer) : null
    const constraint = options.constraint ? getConstraint(options.constraint) : null
    const variable = new Variable(options.name, value, {
      trainable: options.trainable ?? true,
      regularizer: regularizer && ((weight) => regularizer.penalty(weight as SymbolicTensor)),
      constraint: constraint && ((weight) => constraint.apply(weight as SymbolicTensor)),
    })
    variable.path = `${this.name}/${options.name}`
    this.#ownWeights.push(variable)
    return variable
  }

  /** @internal Makes a variable that is no weight. */
  protected addState(name: string, value: Tensor): Variable {
    const variable = new Variable(name, value, { trainable: false })
    variable.path = `${this.name}/${name}`
    this.#ownState.push(variable)
    return variable
  }

  /** Adds a scalar to the loss; to be used inside `call`. */
  addLoss(value: SymbolicTensor): void {
    const trace = currentTrace()
    if (!trace) throw new StateError(`'${this.name}': addLoss is to be used inside 'call'`)
    trace.losses.push(ops.mean(value))
  }

  /** @internal */
  protected override invokeCall(inputs: Structure<unknown>, options: CallOptions = {}): Structure<SymbolicTensor> | Structure<Tensor> {
    if (inputs === undefined) throw new ConfigError(`${this.className} '${this.name}': expected a tensor or a structure of tensors, received undefined`)
    const kwargs = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const call: CallArguments = { args: [inputs], kwargs }
    const symbolic = tensorsOf(call)
    if (symbolic.some((t) => t.origin.kind === 'node')) return callOnNodes(this, call)
    if (symbolic.length > 0 || currentTrace()) return this.invoke(call.args, kwargs)
    const data: CallArguments = { args: [asTensors(inputs as Structure<TensorLike>)], kwargs: { ...kwargs } }
    try {
      return runNow(this.name, data, (traced) => this.invoke(traced.args, traced.kwargs), options.training ?? false)
    } catch (error) {
      throw named(error, this, [])
    }
  }

  /** @internal Checks, builds and traces one call. */
  invoke(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Structure<SymbolicTensor> {
    const trace = traceOf(tensorsOf({ args, kwargs })[0]) ?? currentTrace()
    if (!trace) throw new StateError(`'${this.name}': expected to be called while a graph is traced`)
    const inputs = mapStructure(args[0] as Structure<unknown>, (leaf) => trace.convert(leaf))
    this.#checkInput(inputs)
    this.ensureBuilt(mapStructure(inputs, (leaf) => leaf.shape as unknown) as Structure<Shape>)
    this.#checkInput(inputs)
    const outer = trace.training
    trace.training = (kwargs['training'] as boolean | null | undefined) ?? outer
    try {
      return trace.within(() => this.#trace(trace, inputs, kwargs))
    } finally {
      trace.training = outer
    }
  }

  /** @internal Builds the layer for inputs of this shape unless it was built before. */
  ensureBuilt(inputShape: Structure<Shape>): void {
    if (this.built) return
    withoutTrace(() => this.build(inputShape))
    this.buildShape = inputShape
    this.built = true
  }

  #trace(trace: Trace, inputs: Structure<SymbolicTensor>, kwargs: Readonly<Record<string, unknown>>): Structure<SymbolicTensor> {
    const mask = kwargs['mask'] === undefined ? masksOf(inputs) : masksGiven(trace, kwargs['mask'])
    const results = this.call(inputs, { ...kwargs, training: trace.training, mask })
    const outputs = mapStructure(results as Structure<unknown>, (leaf) => {
      if (leaf instanceof SymbolicTensor || leaf instanceof Variable) return trace.convert(leaf)
      throw new ConfigError(`${this.className} '${this.name}': 'call' must return symbolic tensors. Received: ${show(leaf)}`)
    })
    if (this.activityRegularizer) {
      for (const output of flatten(outputs)) {
        trace.losses.push(ops.divide(this.activityRegularizer.penalty(output), ops.size(output, { axis: 0 })))
      }
    }
    return withMasks(outputs, this.computeMask(inputs, mask, outputs))
  }

  #checkInput(inputs: Structure<SymbolicTensor>): void {
    if (!this.inputSpec) return
    if (!(inputs instanceof SymbolicTensor)) throw new ShapeError(`expected one tensor, received a structure of ${flatten(inputs).length}`)
    const { rank, minRank, axes = {} } = this.inputSpec
    const fail = (expected: string): never => {
      throw new ShapeError(`expected ${expected}, received ${formatShape(inputs.shape)}`, { expected, received: inputs.shape })
    }
    if (rank !== undefined && inputs.rank !== rank) fail(`rank ${rank}`)
    if (minRank !== undefined && inputs.rank < minRank) fail(`rank ${minRank} or more`)
    for (const [key, extent] of Object.entries(axes)) {
      const axis = Number(key)
      const actual = inputs.shape.at(axis)
      if (actual !== null && actual !== extent) fail(`${axis === -1 ? 'last extent' : `extent ${axis}`} ${extent}`)
    }
  }

  override toString(): string {
    return `${this.className}(${this.name})`
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

function checkDType(owner: string, dtype: unknown): void {
  const name = isPlainObject(dtype) && isPlainObject(dtype['config']) ? dtype['config']['name'] : dtype
  if (name !== undefined && name !== null && name !== 'float32') {
    throw new ConfigError(`${owner}: 'dtype' must be 'float32', the only type layers compute in so far. Received: ${show(name)}`)
  }
}

function plainPart(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain = (value: unknown): boolean =>
    value === null || ['string', 'number', 'boolean'].includes(typeof value) || (Array.isArray(value) && value.every(plain)) ||
    (isPlainObject(value) && Object.values(value).every(plain))
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => key !== 'dtype' && plain(value)))
}

function collectLayers(value: unknown, found: Set<Layer>, depth: number): void {
  if (value instanceof Layer) found.add(value)
  else if (depth < 8 && Array.isArray(value)) for (const item of value) collectLayers(item, found, depth + 1)
  else if (depth < 8 && isPlainObject(value)) for (const item of Object.values(value)) collectLayers(item, found, depth + 1)
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}

function asTensors(inputs: Structure<TensorLike>): Structure<Tensor> {
  const leaves = flatten(inputs as Structure<unknown>)
  const numbers = leaves.length > 0 && leaves.every((leaf) => typeof leaf === 'number' || typeof leaf === 'boolean')
  if (numbers || (isPlainObject(inputs) && 'data' in inputs)) return tensor(inputs as TensorLike)
  return mapStructure(inputs as Structure<unknown>, (leaf) => tensor(leaf as TensorLike))
}
