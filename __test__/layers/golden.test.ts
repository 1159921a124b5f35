import { readdirSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { findBuiltIn } from '../../ts/core/registry.ts'
import { flatten, type Structure } from '../../ts/core/tree.ts'
import type { Tensor } from '../../ts/native/tensor.ts'
import { decode, golden, numbers, relativeError, type GoldenTensor } from '../helpers/golden.ts'
import { inputsOf, makeLayer, optionsOf, runTraced, type LayerCase } from './case.ts'

// In units of the root mean square of what Keras computes.
const tolerance = 1e-5

const worst = new Map<string, number>()

function compare(t: ExecutionContext, layer: string, what: string, got: Tensor | undefined, expected: GoldenTensor): void {
  const wanted = numbers(expected)
  if (got) t.deepEqual([...got.shape], [...expected.shape], `${what}: shape`)
  const error = relativeError(got ? got.data : new Float32Array(wanted.length), wanted)
  worst.set(layer, Math.max(worst.get(layer) ?? 0, error))
  t.true(error <= tolerance, `${what}: expected within ${tolerance}, got ${error}`)
}

// What is meant to differ from Keras; each has a test of its own.
const ours: Readonly<Record<string, string>> = {
  sparsemax: 'rows that sum to 1, as those of Keras do not',
  batch_normalization_batch_0_training: 'a batch without rows leaves the moving statistics as they are, not NaN',
}

function check(stored: LayerCase): void {
  const className = stored.config.class_name
  if (stored.name in ours) return
  test(`${className} ${stored.name}: as in Keras`, (t) => {
    const layer = makeLayer(stored)
    t.deepEqual(
      layer.weights.map((w) => w.path),
      stored.weights.map((w) => w.path),
    )
    const results = layer<Structure<Tensor>>(inputsOf(stored), optionsOf(stored))
    t.is(Array.isArray(results), Array.isArray(stored.outputs))
    const outputs = flatten(results)
    ;[stored.outputs].flat().forEach((expected, i) => compare(t, className, `output ${i}`, outputs[i], expected as GoldenTensor))
    const after = (stored.config.config['trainable'] === false ? layer.weights : layer.nonTrainableWeights).map((w) => w.read())
    stored.weights_after?.forEach(({ path, tensor }, i) => compare(t, className, `${path} afterwards`, after[i], tensor))
  })
  test(`${className} ${stored.name}: gradients and mask as in Keras`, (t) => {
    const traced = runTraced(stored)
    if (stored.output_mask) t.deepEqual(traced.outputMask?.toArray(), decode(stored.output_mask).toArray())
    else t.is(traced.outputMask, undefined)
    stored.input_gradients?.forEach((expected, i) => {
      if (expected) compare(t, className, `gradient of input ${i}`, traced.inputGradients[i], expected)
    })
    stored.weight_gradients?.forEach(({ index, tensor }, i) => {
      compare(t, className, `gradient of ${stored.weights[index]?.path}`, traced.weightGradients[i], tensor)
    })
  })
}

const files = readdirSync(new URL('../golden/layers', import.meta.url))
const cases = files.flatMap((file) => golden<LayerCase[]>(`layers/${file}`))
const edges = golden<{ layers: LayerCase[] }>('edge.json').layers
for (const stored of [...cases, ...edges]) {
  if (findBuiltIn('keras.layers', stored.config.class_name)) check(stored)
}

test('no layer is left out', (t) => {
  t.deepEqual(cases.map((stored) => stored.config.class_name).filter((name) => !findBuiltIn('keras.layers', name)), [])
})

test.after('the largest errors, for people', (t) => {
  for (const [layer, error] of worst) t.log(`${layer}: ${error.toExponential(2)}`)
})
