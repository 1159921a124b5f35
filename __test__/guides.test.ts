import test from 'ava'
import type { Model } from '../ts/index.ts'
import * as guide from '../examples/guides/models.mjs'
import { flatten, mapStructure, type Structure } from '../ts/core/tree.ts'
import type { Shape } from '../ts/core/types.ts'
import { golden } from './helpers/golden.ts'

interface GuideModel {
  readonly row: number
  readonly name: string
  readonly class_name: string
  readonly count_params: number
  readonly outputs: unknown
  readonly layer_names?: readonly string[]
}

const recorded = golden<{ models: readonly GuideModel[] }>('guides.json').models
const { encoder, autoencoder } = guide.autoencoder()
const nested = guide.nestedAutoencoder()

const built: Readonly<Record<string, Model>> = {
  single_dense: guide.singleDense(),
  single_dense_sequential: guide.singleDenseSequential(),
  mlp: guide.mlp(),
  mlp_sequential: guide.mlpSequential(),
  ticket_priority: guide.ticketPriority(),
  class_and_box: guide.classAndBox(),
  siamese: guide.siamese(),
  siamese_cosine: guide.siameseCosine(),
  residual: guide.residual(),
  mnist_mlp: guide.mnistMlp(),
  encoder,
  autoencoder,
  nested_encoder: nested.encoder,
  nested_decoder: nested.decoder,
  nested_autoencoder: nested.autoencoder,
  ensemble: guide.ensemble().ensemble,
  tickets: guide.tickets(),
  toy_resnet: guide.toyResnet(),
  shared_embedding: guide.sharedEmbedding(),
  custom_dense: guide.customDense(),
  feature_model: guide.features(guide.mnistMlp()),
  functional_mlp: guide.functionalMlp(),
} as unknown as Readonly<Record<string, Model>>

for (const { row, name, class_name: className, count_params: parameters, outputs, layer_names: layerNames } of recorded) {
  const model = built[name]
  if (!model) continue
  test(`row ${row}: ${name} has ${parameters} parameters, Keras's output shapes and layers`, (t) => {
    t.is(model.countParams(), parameters)
    t.is(model.className, className)
    t.deepEqual(shapesOf(mapStructure(model.output as Structure<{ shape: Shape }>, (output) => [...output.shape] as unknown)), shapesOf(outputs))
    if (layerNames) t.is(model.layers.length, layerNames.length)
  })
}

test('every model of the guides that the layers allow is compared', (t) => {
  const left = recorded.filter(({ name }) => !built[name]).map(({ name }) => name)
  // vgg19 takes 575 MB; add_ons, mlp_clone and subclassed_mlp are compared by behaviour in models/.
  t.deepEqual(left.sort(), ['add_ons', 'mlp_clone', 'subclassed_mlp', 'vgg19', 'vgg19_no_top'])
})

/** Shapes in a list, objects by sorted key. */
function shapesOf(structure: unknown): unknown[] {
  const isShape = (value: unknown): boolean => Array.isArray(value) && value.every((extent) => extent === null || typeof extent === 'number')
  if (isShape(structure)) return [structure]
  if (Array.isArray(structure)) return structure.flatMap(shapesOf)
  return Object.entries(structure as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]) => shapesOf(value))
}

test('encoder and autoencoder share their weights', (t) => {
  const inside = new Set(autoencoder.weights)
  t.true(encoder.weights.every((variable: unknown) => inside.has(variable as never)))
  t.is(flatten(autoencoder.outputs as never).length, 1)
})
