import { ConfigError, StateError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { nodeOf } from '../core/node.ts'
import type { Operation } from '../core/operation.ts'
import { parsePython, stringifyPython } from '../core/python-json.ts'
import type { SerializedObject } from '../core/registry.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import type { Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import { Input, InputLayer } from '../layers/input-layer.ts'
import { Layer, type CallContext, type LayerConfig } from '../layers/layer.ts'
import { FunctionalGraph } from './functional-graph.ts'
import { deserializeLayer, serializeLayer, type CustomObjects } from './layer-config.ts'
import { Model, nameAndTrainable } from './model.ts'

/** What a sequential model is made of: layers, and at most an `Input` in front. */
export type SequentialItem = Layer | SymbolicTensor

/** Options of {@link Sequential}. */
export interface SequentialConfig extends LayerConfig {
  /** The layers in order. The first may be an `Input`; without one the model is built at its first call. */
  readonly layers?: readonly SequentialItem[]
}

/** A model that is a plain stack of layers, each with one input and one output. */
export class Sequential extends Model {
  #input: SymbolicTensor | undefined
  #stack: Layer[] = []

  constructor(config: SequentialConfig | readonly SequentialItem[] = {}) {
    const options: SequentialConfig = Array.isArray(config) ? { layers: config as SequentialItem[] } : (config as SequentialConfig)
    const { layers = [], ...base } = options
    super(base)
    for (const item of layers) this.#push(item)
    this.#rebuild()
    if (base.trainable === false) this.trainable = false
  }

  /** Appends a layer. */
  add(item: SequentialItem): void {
    this.#push(item)
    this.#rebuild()
  }

  /** Removes the last layer and returns it. */
  pop(): Layer | undefined {
    const last = this.#stack.pop()
    this.#rebuild()
    return last
  }

  /** The layers in order, without the input. */
  override get layers(): Layer[] {
    return [...this.#stack]
  }

  /** @internal A stack lists its layers, without the input. */
  override get operations(): readonly Operation[] {
    return this.#stack
  }

  /** @internal */
  override get sublayers(): Layer[] {
    return this.layers
  }

  /** @internal The layers as files list them: with the input in front. */
  get listedLayers(): Layer[] {
    const input = this.#input && nodeOf(this.#input)?.operation
    return input instanceof Layer ? [input, ...this.#stack] : this.layers
  }

  override build(inputShape: Structure<Shape>): void {
    if (this.graph || this.#stack.length === 0) return
    if (!Array.isArray(inputShape)) throw new ConfigError(`Sequential '${this.name}': expected one input`)
    const [, ...shape] = inputShape as Shape
    this.#input = Input({ batchShape: [null, ...shape], name: `${this.name}_input` })
    this.#rebuild()
  }

  override call(inputs: Structure<SymbolicTensor>, context: CallContext): Structure<SymbolicTensor> {
    if (this.#stack.length === 0) throw new StateError(`Sequential '${this.name}' has no layers`)
    return super.call(inputs, context)
  }

  override kerasObject(): SerializedObject {
    const compile = { compile_config: this.trainer.compileConfig() ?? {} }
    return { module: 'keras', class_name: 'Sequential', config: this.kerasConfig(), registered_name: null, build_config: { input_shape: this.#input?.shape ?? null }, ...compile }
  }

  override kerasConfig(): Record<string, unknown> {
    return {
      name: this.name,
      trainable: this.trainable,
      layers: this.listedLayers.map((layer) => serializeLayer(layer)),
      build_input_shape: this.#input?.shape ?? null,
    }
  }

  override getConfig(): Record<string, unknown> {
    return parsePython(stringifyPython(this.kerasConfig()), `'${this.name}'`) as Record<string, unknown>
  }

  static override fromConfig(config: Record<string, unknown>, customObjects: CustomObjects = {}): Layer {
    return Sequential.fromKerasConfig(config, customObjects)
  }

  /** @internal */
  static override fromKerasConfig(config: Record<string, unknown>, customObjects: CustomObjects = {}): Sequential {
    const entries = config['layers']
    if (!Array.isArray(entries)) throw new ConfigError("Sequential: expected an array 'layers' in the configuration")
    const model = new Sequential({ layers: entries.map((entry) => deserializeLayer(entry, customObjects)), ...nameAndTrainable(config) })
    const shape = config['build_input_shape']
    if (!model.graph && Array.isArray(shape)) model.ensureBuilt(shape as Shape)
    return model
  }

  #push(item: SequentialItem): void {
    if (item instanceof SymbolicTensor || item instanceof InputLayer) {
      if (this.#input || this.#stack.length > 0) throw new ConfigError(`Sequential '${this.name}': expected the Input as the first item`)
      this.#input = item instanceof SymbolicTensor ? item : (item.output as SymbolicTensor)
      return
    }
    if (!(item instanceof Layer)) throw new ConfigError(`Sequential '${this.name}': expected layers. Received: ${show(item)}`)
    if (this.#stack.some((layer) => layer.name === item.name)) {
      throw new ConfigError(`Sequential '${this.name}': expected layers with different names, received '${item.name}' twice`)
    }
    this.#stack.push(item)
  }

  #rebuild(): void {
    this.graph = undefined
    this.built = false
    this.trainer.invalidate()
    if (!this.#input || this.#stack.length === 0) return
    let x: SymbolicTensor = this.#input
    for (const layer of this.#stack) {
      const next = layer<Structure<SymbolicTensor>>(x)
      if (!(next instanceof SymbolicTensor)) {
        throw new ConfigError(`Sequential '${this.name}': expected layers with one output, but '${layer.name}' has several; use Model({ inputs, outputs })`)
      }
      x = next
    }
    this.setGraph(new FunctionalGraph(`Sequential '${this.name}'`, this.#input, x))
  }
}
