import { Input, Model, layers, setRandomSeed, tensor, type Tensor } from '../../ts/index.ts'

/** Reproducible numbers between -1 and 1. */
export const random = (rows: number, shape: readonly number[], seed = 1): Tensor => {
  let state = seed
  const count = rows * shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
  return tensor(data, [rows, ...shape])
}
/** The elements' bytes. */
export const bits = (x: Tensor): Buffer => Buffer.from(x.data.buffer, x.data.byteOffset, x.data.byteLength)
const ids = (rows: number): Tensor => tensor(Int32Array.from({ length: rows * 9 }, (_, i) => (i * 7) % 20), [rows, 9])

/** A model, and data for some rows. */
export interface Case {
  readonly make: () => Model
  readonly x: (rows: number) => Tensor
}

/** Models that between them use the kernels whose order of adding could depend on something. */
export const cases: Readonly<Record<string, Case>> = {
  mlp: {
    make: () => {
      const input = Input({ shape: [37] })
      let x = layers.Dense({ units: 130, activation: 'tanh' })(input)
      x = layers.Dense({ units: 65, activation: 'gelu' })(x)
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
    },
    x: (rows) => random(rows, [37]),
  },
  convolutional: {
    make: () => {
      const input = Input({ shape: [12, 12, 3] })
      let x = layers.Conv2D({ filters: 33, kernelSize: 3, padding: 'same', activation: 'relu' })(input)
      x = layers.BatchNormalization()(x)
      x = layers.DepthwiseConv2D({ kernelSize: 3, padding: 'same' })(x)
      x = layers.Conv2D({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' })(x)
      x = layers.MaxPooling2D({ poolSize: 3, strides: 1 })(x)
      x = layers.Conv2D({ filters: 17, kernelSize: 3, strides: 2 })(x)
      x = layers.AveragePooling2D()(x)
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(layers.Flatten()(x)) })
    },
    x: (rows) => random(rows, [12, 12, 3]),
  },
  recurrent: {
    make: () => {
      const input = Input({ shape: [null], dtype: 'int32' })
      const x = layers.LSTM({ units: 21 })(layers.Embedding({ inputDim: 20, outputDim: 13, maskZero: true })(input))
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
    },
    x: ids,
  },
  gated: {
    make: () => {
      const input = Input({ shape: [null, 11] })
      let x = layers.Bidirectional({ layer: layers.GRU({ units: 19, returnSequences: true }) })(input)
      x = layers.Dropout({ rate: 0.3 })(layers.LayerNormalization()(x))
      x = layers.GlobalAveragePooling1D()(x)
      return Model({ inputs: input, outputs: layers.Dense({ units: 10, activation: 'softmax' })(x) })
    },
    x: (rows) => random(rows, [7, 11]),
  },
}

/** The weights after two epochs of four steps from a fixed seed. */
export async function trained({ make, x }: Case): Promise<Buffer[]> {
  setRandomSeed(3)
  const model = make()
  model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' })
  const y = tensor(Int32Array.from({ length: 50 }, (_, i) => i % 10), [50])
  await model.fit(x(50), y, { epochs: 2, batchSize: 16, verbose: 0 })
  return model.getWeights().map(bits)
}
