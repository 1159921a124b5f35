import { ConfigError, StateError } from '../core/errors.ts'
import { show } from '../core/names.ts'
import { Node } from '../core/node.ts'
import { SymbolicTensor } from '../core/symbolic.ts'
import { dtypes, type DType, type Shape } from '../core/types.ts'
import { Layer } from './layer.ts'

/** Options of {@link Input}. */
export interface InputConfig {
  /** Extents without the batch; `null` is one not known. */
  readonly shape?: Shape | undefined
  /** The batch's extent. Default: not known. */
  readonly batchSize?: number | null | undefined
  /** Extents with the batch, instead of `shape` and `batchSize`. */
  readonly batchShape?: Shape | undefined
  /** Element type. Default `'float32'`. */
  readonly dtype?: DType | undefined
  /** The name under which data is given. Default: `input_layer`, numbered. */
  readonly name?: string | undefined
}

const options = ['shape', 'batchSize', 'batchShape', 'dtype', 'name']

/** Where data enters a model. Made by {@link Input}; its only call has no inputs. */
export class InputLayer extends Layer {
  static override className = 'InputLayer'
  /** Extents, batch first. */
  readonly batchShape: Shape
  /** Element type. */
  readonly dtype: DType

  /** @throws ConfigError for an option that is unknown or has no sense. */
  constructor(config: InputConfig = {}) {
    if (typeof config !== 'object' || config === null) throw new ConfigError(`Input: expected an object of options, received ${show(config)}`)
    super({ name: config.name })
    const owner = `Input '${this.name}'`
    const unknown = Object.keys(config).find((key) => !options.includes(key))
    if (unknown !== undefined) throw new ConfigError(`${owner}: unknown option '${unknown}'; expected one of ${options.join(', ')}`)
    this.batchShape = Object.freeze(batchShapeOf(owner, config))
    this.dtype = config.dtype ?? 'float32'
    if (!dtypes.includes(this.dtype)) {
      throw new ConfigError(`${owner}: 'dtype' must be one of ${dtypes.map(show).join(', ')}. Received: ${show(config.dtype)}`)
    }
    this.built = true
    const node = new Node(this, { args: [], kwargs: {} })
    node.outputs = new SymbolicTensor(this.batchShape, this.dtype, this.name, { kind: 'node', node, index: 0 })
  }

  /** @internal */
  override invoke(): never {
    throw new StateError(`Input '${this.name}': expected data for this input, not a call`)
  }

  protected override invokeCall(): never {
    throw new StateError(`Input '${this.name}': an input layer is not called; pass its output on`)
  }

  override getConfig(): Record<string, unknown> {
    return { batchShape: [...this.batchShape], dtype: this.dtype, name: this.name }
  }

  /** @internal The options as Keras's files hold them. */
  kerasConfig(): Record<string, unknown> {
    return { batch_shape: [...this.batchShape], dtype: this.dtype, sparse: false, ragged: false, name: this.name, optional: false }
  }

  /** @internal Makes a layer from the configuration of one of Keras's files. 64-bit whole numbers are taken as int32. */
  static fromKerasConfig(config: Readonly<Record<string, unknown>>): InputLayer {
    for (const key of ['sparse', 'ragged', 'optional']) {
      if (config[key]) throw new ConfigError(`InputLayer ${show(config['name'])}: '${key}' inputs are not supported`)
    }
    const dtype = config['dtype'] === 'int64' ? 'int32' : config['dtype']
    const batchShape = config['batch_shape'] ?? config['batch_input_shape']
    const { name } = config
    return new InputLayer({ batchShape, dtype: dtype ?? undefined, name } as InputConfig)
  }
}

function batchShapeOf(owner: string, { shape, batchSize, batchShape }: InputConfig): Shape {
  if ((shape === undefined) === (batchShape === undefined)) {
    throw new ConfigError(`${owner}: expected either 'shape' (without the batch) or 'batchShape'`)
  }
  if (batchShape !== undefined && batchSize !== undefined) {
    throw new ConfigError(`${owner}: expected no 'batchSize' beside 'batchShape'`)
  }
  if (batchShape !== undefined) return checked(owner, 'batchShape', batchShape)
  return [...checked(owner, 'batchSize', [batchSize ?? null]), ...checked(owner, 'shape', shape as Shape)]
}

function checked(owner: string, option: string, shape: Shape): Shape {
  if (Array.isArray(shape) && shape.every((n) => n === null || (Number.isSafeInteger(n) && (n as number) >= 0))) return [...shape]
  throw new ConfigError(`${owner}: '${option}' must be an array of integers >= 0 or null. Received: ${show(shape)}`)
}

/**
 * The start of a model: a symbolic tensor for data of this shape and type.
 *
 * ```ts
 * const image = Input({ shape: [28, 28, 1], name: 'image' })
 * ```
 *
 * @throws ConfigError for an option that is unknown or has no sense.
 */
export function Input(config: InputConfig): SymbolicTensor {
  return new InputLayer(config).output as SymbolicTensor
}
