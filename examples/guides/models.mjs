// The models that guides to the Keras Functional API build, each as a function, in the order in which a reader meets them.
import { Input, Layer, Model, Sequential, layers, ops } from 'ferrograph'

/** One dense layer: the smallest functional model. */
export function singleDense() {
  const input = Input({ shape: [784] })
  const output = layers.Dense({ units: 64, activation: 'relu' })(input)
  return Model({ inputs: input, outputs: output })
}

/** The same model as a stack. */
export function singleDenseSequential() {
  return Sequential([Input({ shape: [784] }), layers.Dense({ units: 64, activation: 'relu' })])
}

/** 32 -> 64 -> 32 -> 1. */
export function mlp() {
  const inputs = Input({ shape: [32] })
  let x = layers.Dense({ units: 64, activation: 'relu' })(inputs)
  x = layers.Dense({ units: 32, activation: 'relu' })(x)
  const outputs = layers.Dense({ units: 1, activation: 'sigmoid' })(x)
  return Model({ inputs, outputs })
}

/** The same as a stack. */
export function mlpSequential() {
  return Sequential([
    Input({ shape: [32] }),
    layers.Dense({ units: 64, activation: 'relu' }),
    layers.Dense({ units: 32, activation: 'relu' }),
    layers.Dense({ units: 1, activation: 'sigmoid' }),
  ])
}

/** Two inputs: the words of a support ticket and what else is known of it. */
export function ticketPriority() {
  const text = Input({ shape: [null], dtype: 'int32', name: 'text' })
  const metadata = Input({ shape: [5], name: 'metadata' })
  let words = layers.Embedding({ inputDim: 10000, outputDim: 64 })(text)
  words = layers.LSTM({ units: 32 })(words)
  const known = layers.Dense({ units: 16, activation: 'relu' })(metadata)
  const combined = layers.Concatenate()([words, known])
  const priority = layers.Dense({ units: 1, activation: 'sigmoid', name: 'priority' })(combined)
  return Model({ inputs: [text, metadata], outputs: priority })
}

/** Two outputs: what is in an image, and where. */
export function classAndBox() {
  const image = Input({ shape: [128, 128, 3], name: 'image' })
  let x = layers.Conv2D({ filters: 32, kernelSize: 3, activation: 'relu' })(image)
  x = layers.MaxPooling2D({ poolSize: 2 })(x)
  x = layers.Conv2D({ filters: 64, kernelSize: 3, activation: 'relu' })(x)
  x = layers.MaxPooling2D({ poolSize: 2 })(x)
  const features = layers.Flatten()(x)
  const label = layers.Dense({ units: 10, activation: 'softmax', name: 'class_label' })(features)
  const box = layers.Dense({ units: 4, name: 'bounding_box' })(features)
  return Model({ inputs: image, outputs: [label, box] })
}

/** Two texts through one embedding. */
export function siamese() {
  const a = Input({ shape: [null], dtype: 'int32', name: 'text_a' })
  const b = Input({ shape: [null], dtype: 'int32', name: 'text_b' })
  const embedding = layers.Embedding({ inputDim: 10000, outputDim: 128, name: 'shared_embed' })
  const left = layers.LSTM({ units: 64, name: 'lstm' })(embedding(a))
  const right = layers.LSTM({ units: 64, name: 'lstm_b' })(embedding(b))
  const both = layers.Concatenate()([left, right])
  return Model({ inputs: [a, b], outputs: layers.Dense({ units: 1, activation: 'sigmoid', name: 'similarity' })(both) })
}

/** Two texts through one encoder, compared by the cosine of the angle between them. */
export function siameseCosine() {
  const a = Input({ shape: [null], dtype: 'int32', name: 'text_a' })
  const b = Input({ shape: [null], dtype: 'int32', name: 'text_b' })
  const embedding = layers.Embedding({ inputDim: 10000, outputDim: 128, name: 'shared_embed' })
  const lstm = layers.LSTM({ units: 64, name: 'lstm' })
  const similarity = layers.Dot({ axes: 1, normalize: true })([lstm(embedding(a)), lstm(embedding(b))])
  return Model({ inputs: [a, b], outputs: similarity })
}

/** A block whose input is added to its output. */
export function residual() {
  const input = Input({ shape: [32, 32, 3] })
  let x = layers.Conv2D({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' })(input)
  const skip = x
  x = layers.Conv2D({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' })(x)
  x = layers.Conv2D({ filters: 64, kernelSize: 3, padding: 'same' })(x)
  x = layers.Add()([x, skip])
  x = layers.Activation({ activation: 'relu' })(x)
  x = layers.GlobalAveragePooling2D()(x)
  return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
}

/** The classifier of the official guide: logits of ten digits. */
export function mnistMlp() {
  const inputs = Input({ shape: [784] })
  let x = layers.Dense({ units: 64, activation: 'relu' })(inputs)
  x = layers.Dense({ units: 64, activation: 'relu' })(x)
  return Model({ inputs, outputs: layers.Dense({ units: 10 })(x), name: 'mnist_model' })
}

/** One graph, two models: an encoder, and the autoencoder that contains it. */
export function autoencoder() {
  const image = Input({ shape: [28, 28, 1], name: 'img' })
  const encoded = encode(image)
  const encoder = Model({ inputs: image, outputs: encoded, name: 'encoder' })
  return { encoder, autoencoder: Model({ inputs: image, outputs: decode(encoded), name: 'autoencoder' }) }
}

/** The same from two models that are called like layers. */
export function nestedAutoencoder() {
  const original = Input({ shape: [28, 28, 1], name: 'original_img' })
  const encoder = Model({ inputs: original, outputs: encode(original), name: 'encoder' })
  const code = Input({ shape: [16], name: 'encoded_img' })
  const decoder = Model({ inputs: code, outputs: decode(code), name: 'decoder' })
  const image = Input({ shape: [28, 28, 1], name: 'img' })
  return { encoder, decoder, autoencoder: Model({ inputs: image, outputs: decoder(encoder(image)), name: 'autoencoder' }) }
}

function encode(image) {
  let x = layers.Conv2D({ filters: 16, kernelSize: 3, activation: 'relu' })(image)
  x = layers.Conv2D({ filters: 32, kernelSize: 3, activation: 'relu' })(x)
  x = layers.MaxPooling2D({ poolSize: 3 })(x)
  x = layers.Conv2D({ filters: 32, kernelSize: 3, activation: 'relu' })(x)
  x = layers.Conv2D({ filters: 16, kernelSize: 3, activation: 'relu' })(x)
  return layers.GlobalMaxPooling2D()(x)
}

function decode(code) {
  let x = layers.Reshape({ targetShape: [4, 4, 1] })(code)
  x = layers.Conv2DTranspose({ filters: 16, kernelSize: 3, activation: 'relu' })(x)
  x = layers.Conv2DTranspose({ filters: 32, kernelSize: 3, activation: 'relu' })(x)
  x = layers.UpSampling2D({ size: 3 })(x)
  x = layers.Conv2DTranspose({ filters: 16, kernelSize: 3, activation: 'relu' })(x)
  return layers.Conv2DTranspose({ filters: 1, kernelSize: 3, activation: 'relu' })(x)
}

/** Three models whose predictions are averaged. */
export function ensemble() {
  const member = () => {
    const inputs = Input({ shape: [128] })
    return Model({ inputs, outputs: layers.Dense({ units: 1 })(inputs) })
  }
  const members = [member(), member(), member()]
  const inputs = Input({ shape: [128] })
  return { members, ensemble: Model({ inputs, outputs: layers.Average()(members.map((model) => model(inputs))) }) }
}

/** Three inputs and two outputs: how urgent a ticket is, and who should have it. */
export function tickets() {
  const words = 10000
  const title = Input({ shape: [null], name: 'title' })
  const body = Input({ shape: [null], name: 'body' })
  const tags = Input({ shape: [12], name: 'tags' })
  const titleFeatures = layers.LSTM({ units: 128 })(layers.Embedding({ inputDim: words, outputDim: 64 })(title))
  const bodyFeatures = layers.LSTM({ units: 32 })(layers.Embedding({ inputDim: words, outputDim: 64 })(body))
  const x = layers.Concatenate()([titleFeatures, bodyFeatures, tags])
  const priority = layers.Dense({ units: 1, name: 'priority' })(x)
  const department = layers.Dense({ units: 4, name: 'department' })(x)
  return Model({ inputs: [title, body, tags], outputs: { priority, department } })
}

/** A small residual network for 32 x 32 images. */
export function toyResnet() {
  const image = Input({ shape: [32, 32, 3], name: 'img' })
  const conv = (filters, options = {}) => layers.Conv2D({ filters, kernelSize: 3, activation: 'relu', ...options })
  let x = conv(32)(image)
  x = conv(64)(x)
  const first = layers.MaxPooling2D({ poolSize: 3 })(x)
  const block = (input) => layers.Add()([conv(64, { padding: 'same' })(conv(64, { padding: 'same' })(input)), input])
  x = conv(64)(block(block(first)))
  x = layers.GlobalAveragePooling2D()(x)
  x = layers.Dense({ units: 256, activation: 'relu' })(x)
  x = layers.Dropout({ rate: 0.5 })(x)
  return Model({ inputs: image, outputs: layers.Dense({ units: 10 })(x), name: 'toy_resnet' })
}

/** One embedding for two texts. */
export function sharedEmbedding() {
  const a = Input({ shape: [null], dtype: 'int32' })
  const b = Input({ shape: [null], dtype: 'int32' })
  const embedding = layers.Embedding({ inputDim: 1000, outputDim: 128 })
  return Model({ inputs: [a, b], outputs: [embedding(a), embedding(b)] })
}

/** A dense layer written by hand. */
export class CustomDense extends Layer {
  constructor({ units = 32, ...base } = {}) {
    super(base)
    this.units = units
  }

  build(shape) {
    this.w = this.addWeight({ name: 'w', shape: [shape.at(-1), this.units], initializer: 'random_normal' })
    this.b = this.addWeight({ name: 'b', shape: [this.units], initializer: 'random_normal' })
  }

  call(inputs) {
    return ops.add(ops.matmul(inputs, this.w), this.b)
  }

  getConfig() {
    return { ...super.getConfig(), units: this.units }
  }
}

/** The hand-written layer in a model. */
export function customDense() {
  const inputs = Input({ shape: [4] })
  return Model({ inputs, outputs: new CustomDense({ units: 10 })(inputs) })
}

/** All hidden results of a model at once. */
export function features(model) {
  return Model({ inputs: model.input, outputs: model.layers.slice(1).map((layer) => layer.output) })
}

/** A model by subclassing: the layers in the constructor, the computation in `call`. */
export class SubclassedMlp extends Model {
  constructor(config = {}) {
    super(config)
    this.dense1 = layers.Dense({ units: 64, activation: 'relu' })
    this.dense2 = layers.Dense({ units: 10 })
  }

  call(inputs) {
    return this.dense2(this.dense1(inputs))
  }
}

/** The same as a functional model. */
export function functionalMlp() {
  const inputs = Input({ shape: [32] })
  const x = layers.Dense({ units: 64, activation: 'relu' })(inputs)
  return Model({ inputs, outputs: layers.Dense({ units: 10 })(x) })
}
