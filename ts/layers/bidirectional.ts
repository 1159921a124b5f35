import { ConfigError, ShapeError } from '../core/errors.ts'
import { isSerializedObject } from '../core/registry.ts'
import { field } from '../core/schema.ts'
import type { SymbolicTensor } from '../core/symbolic.ts'
import { isPlainObject, type Structure } from '../core/tree.ts'
import type { Shape } from '../core/types.ts'
import * as ops from '../ops/index.ts'
import { configured, type LayerArguments } from './configured.ts'
import { GRU } from './gru.ts'
import type { CallContext, Masks } from './layer.ts'
import { LSTM } from './lstm.ts'
import { firstMask, sequenceShape, sequenceWithStates } from './recurrent.ts'

/** A layer that {@link Bidirectional} can run both ways. */
export type RecurrentLayer = LSTM | GRU

/** The options of a layer, from which others like it are made. */
interface Template {
  readonly type: typeof LSTM | typeof GRU
  readonly options: Record<string, unknown>
}

const types = [LSTM, GRU] as const

function template(value: unknown): Template | undefined {
  if (value instanceof LSTM || value instanceof GRU) return { type: value instanceof LSTM ? LSTM : GRU, options: value.getConfig() }
  const name = isPlainObject(value) ? (value['className'] ?? value['class_name']) : undefined
  const type = types.find((known) => known.className === name)
  if (type === undefined || !isPlainObject(value) || !isPlainObject(value['config'])) return undefined
  if (isSerializedObject(value)) return template(type.fromKerasConfig(value['config']))
  return { type, options: value['config'] }
}

const serialize = (value: Template): object => ({ className: value.type.className, config: value.options })
const wanted = 'an LSTM or a GRU layer'

const schema = {
  mergeMode: field<MergeMode, MergeMode>({
    default: 'concat',
    wanted: "'concat', 'sum', 'mul', 'ave' or null",
    parse: (value) => (value === null || mergeModes.includes(value as never) ? (value as MergeMode) : undefined),
    serialize: (value) => value,
  }),
  layer: {
    ...field<RecurrentLayer | Record<string, unknown>, Template>({ wanted, parse: template, serialize }),
    required: true as const,
  },
  backwardLayer: field<RecurrentLayer | Record<string, unknown> | null, Template | null>({
    default: null,
    wanted: `${wanted}, or null`,
    parse: (value) => (value === null ? null : template(value)),
    serialize: (value) => value && serialize(value),
  }),
} as const

const mergeModes = ['concat', 'sum', 'mul', 'ave'] as const
/** How the outputs of both directions become one; `null` leaves them two. */
export type MergeMode = (typeof mergeModes)[number] | null

/**
 * Runs a recurrent layer over a sequence in both directions: `[batch, steps, features]` to `[batch, 2 * units]`, or to
 * `[batch, steps, 2 * units]` if the layer returns sequences, whose steps then stand in the order of time in both halves.
 *
 * `layer` is an LSTM or a GRU. Both directions are made anew from its options, named `forward_` and `backward_` and its
 * name; the second from those of `backwardLayer` where it is given, which must go the other way. `mergeMode` is `'concat'`
 * (the default), `'sum'`, `'mul'`, `'ave'`, or `null` for an array of both outputs. With `returnState` the states of both
 * follow, first the forward ones; the first states, `initialState` among the options of the call or the rest of
 * `[x, ...states]`, are given in the same order. Where sequences are returned, steps that the mask leaves out are 0.
 */
export class Bidirectional extends configured('Bidirectional', schema) {
  declare forwardLayer: RecurrentLayer
  declare backwardLayer: RecurrentLayer
  override supportsMasking = true

  constructor(...args: LayerArguments<typeof schema>) {
    super(...args)
    const { layer, backwardLayer } = this.config
    const name = String(layer.options['name'])
    this.forwardLayer = make(layer, { name: `forward_${name.replace(/^forward_/, '')}` })
    this.backwardLayer = backwardLayer
      ? make(backwardLayer, {})
      : make(layer, { name: `backward_${name.replace(/^backward_/, '')}`, goBackwards: true })
    const [forward, backward] = [this.forwardLayer.config, this.backwardLayer.config]
    if (forward.goBackwards === backward.goBackwards) {
      throw new ConfigError(`Bidirectional '${this.name}': expected layers of different 'goBackwards', received ${forward.goBackwards} for both`)
    }
    for (const option of ['returnSequences', 'returnState'] as const) {
      if (forward[option] === backward[option]) continue
      throw new ConfigError(`Bidirectional '${this.name}': expected layers of one '${option}', received ${forward[option]} and ${backward[option]}`)
    }
  }

  override getConfig(): Record<string, unknown> {
    const plain = (layer: RecurrentLayer): object => ({ className: layer.className, config: layer.getConfig() })
    return { ...super.getConfig(), layer: plain(this.forwardLayer), backwardLayer: plain(this.backwardLayer) }
  }

  /** @internal */
  override kerasConfig(): Record<string, unknown> {
    const keras = (layer: RecurrentLayer): object => ({
      module: 'keras.layers',
      class_name: layer.className,
      config: layer.kerasConfig(),
      registered_name: null,
    })
    return { ...super.kerasConfig(), layer: keras(this.forwardLayer), backward_layer: keras(this.backwardLayer) }
  }

  override build(inputShape: Structure<Shape>): void {
    const shape = sequenceShape(inputShape)
    for (const layer of [this.forwardLayer, this.backwardLayer]) {
      layer.ensureBuilt(shape)
      for (const variable of [...layer.weights, ...layer.state]) variable.path = `${this.name}/${variable.path}`
    }
  }

  override call(inputs: Structure<SymbolicTensor>, context: CallContext): Structure<SymbolicTensor> {
    const { returnSequences, returnState } = this.forwardLayer.config
    const [sequence, given] = sequenceWithStates(inputs, context)
    const states = this.#halves(given)
    const run = (layer: RecurrentLayer, initialState: unknown): SymbolicTensor[] => {
      const results = layer<Structure<SymbolicTensor>>(sequence, { training: context.training, mask: firstMask(context.mask), initialState })
      return (returnState ? results : [results]) as SymbolicTensor[]
    }
    const [forward, ...forwardStates] = run(this.forwardLayer, states?.[0]) as [SymbolicTensor, ...SymbolicTensor[]]
    const [computed, ...backwardStates] = run(this.backwardLayer, states?.[1]) as [SymbolicTensor, ...SymbolicTensor[]]
    const backward = returnSequences ? ops.flip(computed, 1) : computed
    const merged = this.#merge(forward, backward)
    return returnState ? [...merged, ...forwardStates, ...backwardStates] : merged.length === 1 ? (merged[0] as SymbolicTensor) : merged
  }

  override computeMask(_inputs: Structure<SymbolicTensor>, mask: Masks): Masks {
    const own = this.forwardLayer.config.returnSequences ? firstMask(mask) : undefined
    return this.config.mergeMode === null ? [own, own] : this.forwardLayer.config.returnState ? [own] : own
  }

  #halves(given: unknown): [unknown[], unknown[]] | undefined {
    if (given === undefined || given === null) return undefined
    if (!Array.isArray(given) || given.length % 2 !== 0) {
      throw new ShapeError(`expected an initial state of as many tensors for either direction, received ${Array.isArray(given) ? given.length : 'another value'}`)
    }
    return [given.slice(0, given.length / 2), given.slice(given.length / 2)]
  }

  #merge(forward: SymbolicTensor, backward: SymbolicTensor): SymbolicTensor[] {
    switch (this.config.mergeMode) {
      case 'concat':
        return [ops.concatenate([forward, backward], -1)]
      case 'sum':
        return [ops.add(forward, backward)]
      case 'mul':
        return [ops.multiply(forward, backward)]
      case 'ave':
        return [ops.divide(ops.add(forward, backward), 2)]
      case null:
        return [forward, backward]
    }
  }
}

/** A layer of a template's options and others; where it returns sequences, steps that are left out are 0. */
function make({ type, options }: Template, others: Record<string, unknown>): RecurrentLayer {
  return new type({ ...options, ...others, zeroOutputForMask: options['returnSequences'] === true } as never)
}
