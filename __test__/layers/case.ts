import { findBuiltIn } from '../../ts/core/registry.ts'
import { SymbolicTensor } from '../../ts/core/symbolic.ts'
import { flatten, mapStructure, type Structure } from '../../ts/core/tree.ts'
import type { Shape } from '../../ts/core/types.ts'
import type { Layer } from '../../ts/layers/layer.ts'
import type { Tensor } from '../../ts/native/tensor.ts'
import { Trace } from '../../ts/native/trace.ts'
import * as ops from '../../ts/ops/index.ts'
import '../../ts/layers/index.ts'
import { decode, type GoldenTensor, type NamedTensor } from '../helpers/golden.ts'

/** One call of a layer as Keras computed it. */
export interface LayerCase {
  readonly name: string
  readonly config: { readonly class_name: string; readonly config: Record<string, unknown> }
  readonly inputs: GoldenTensor | readonly GoldenTensor[]
  readonly call: {
    readonly training?: boolean
    readonly mask?: GoldenTensor | readonly (GoldenTensor | null)[]
    readonly initial_state?: readonly GoldenTensor[]
  }
  readonly weights: readonly NamedTensor[]
  readonly outputs: GoldenTensor | readonly GoldenTensor[]
  readonly output_mask?: GoldenTensor
  readonly weights_after?: readonly NamedTensor[]
  readonly cotangents?: readonly GoldenTensor[]
  readonly input_gradients?: readonly (GoldenTensor | null)[]
  readonly weight_gradients?: readonly { readonly index: number; readonly tensor: GoldenTensor }[]
}

/** The layer of a case with its weights. */
export function makeLayer(stored: LayerCase): Layer {
  const type = findBuiltIn('keras.layers', stored.config.class_name) as unknown as { fromKerasConfig(config: object): Layer }
  const layer = type.fromKerasConfig(stored.config.config)
  const shape = Array.isArray(stored.inputs) ? stored.inputs.map((x: GoldenTensor) => x.shape) : (stored.inputs as GoldenTensor).shape
  layer.ensureBuilt(shape as Structure<Shape>)
  layer.setWeights(stored.weights.map(({ tensor }) => decode(tensor)))
  return layer
}

/** The inputs of a case. */
export function inputsOf(stored: LayerCase): Tensor | Tensor[] {
  return Array.isArray(stored.inputs) ? stored.inputs.map(decode) : decode(stored.inputs as GoldenTensor)
}

/** The options of the call of a case. */
export function optionsOf({ call }: LayerCase): Record<string, unknown> {
  const { training, mask, initial_state: state } = call
  return {
    ...(training === undefined ? {} : { training }),
    ...(mask === undefined ? {} : { mask: Array.isArray(mask) ? mask.map((m: GoldenTensor | null) => m && decode(m)) : decode(mask as GoldenTensor) }),
    ...(state === undefined ? {} : { initialState: state.map(decode) }),
  }
}

/** What a traced call of a case gives. */
export interface TracedCall {
  readonly outputMask: Tensor | undefined
  readonly inputGradients: (Tensor | undefined)[]
  readonly weightGradients: (Tensor | undefined)[]
}

/** Runs a case as a program of its own, with its gradients and the mask of its first result. */
export function runTraced(stored: LayerCase): TracedCall {
  const layer = makeLayer(stored)
  const options = optionsOf(stored)
  const trace = new Trace(stored.name, stored.call.training ?? false)
  const data = inputsOf(stored)
  const inputs = mapStructure(data as Structure<Tensor>, (x) => trace.input(x.shape, x.dtype))
  return trace.within(() => {
    const outputs = flatten(layer.invoke([inputs], options))
    const products = (stored.cotangents ?? []).map((c, i) => ops.sum(ops.multiply(outputs[i] as SymbolicTensor, decode(c))))
    const list = flatten(inputs)
    const weights = (stored.weight_gradients ?? []).map(({ index }) => trace.read(layer.weights[index] as NonNullable<(typeof layer.weights)[number]>))
    const wrt = [...list.filter((x) => x.dtype === 'float32'), ...weights]
    const gradients = products.length > 0 ? trace.gradients(products.reduce((a, b) => ops.add(a, b)), wrt) : []
    const mask = outputs[0]?.mask
    const wanted = [...(mask ? [mask] : []), ...gradients.filter((g) => g !== undefined)]
    const results = trace.compile(wanted.length > 0 ? wanted : outputs.slice(0, 1)).runSync(flatten(data as Structure<Tensor>))
    let next = 0
    const outputMask = mask && results[next++]
    const computed = gradients.map((g) => g && results[next++])
    const floats = list.map((x) => (x.dtype === 'float32' ? computed.shift() : undefined))
    return { outputMask, inputGradients: floats, weightGradients: computed }
  })
}
