import test from 'ava'
import { findBuiltIn } from '../../ts/core/registry.ts'
import type { Layer } from '../../ts/layers/layer.ts'
import type { Shape } from '../../ts/core/types.ts'
import { decode, golden, type GoldenTensor } from '../helpers/golden.ts'
import '../../ts/layers/index.ts'

interface Stored {
  readonly name: string
  readonly config: { readonly class_name: string; readonly config: Record<string, unknown> }
  readonly weights: readonly { readonly path: string; readonly shape: number[]; readonly values?: GoldenTensor }[]
}

// The inputs for which Keras built the layers.
const inputs: Readonly<Record<string, Shape>> = { LSTM: [null, 3, 4], BatchNormalization: [null, 3], LayerNormalization: [null, 3], Dense: [null, 3], Conv2D: [null, 5, 5, 3] }

for (const { name, config, weights } of golden<{ layer_defaults: Stored[] }>('initializers.json').layer_defaults) {
  const shape = inputs[config.class_name]
  if (!shape) continue
  test(`${name}: weights start as in Keras`, (t) => {
    const type = findBuiltIn('keras.layers', config.class_name) as unknown as { fromKerasConfig(config: object): Layer }
    const layer = type.fromKerasConfig(config.config)
    layer.ensureBuilt(shape)
    t.deepEqual(
      layer.weights.map((w) => ({ path: w.path, shape: [...w.shape] })),
      weights.map((w) => ({ path: w.path, shape: w.shape })),
    )
    weights.forEach(({ path, values }, i) => {
      if (values) t.deepEqual(layer.weights[i]?.read().toArray(), decode(values).toArray(), path)
    })
  })
}
