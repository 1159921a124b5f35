// Models are layers: an encoder and a decoder chained into an autoencoder, and an ensemble that averages three models.
import { Input, Model, layers, setRandomSeed, tensor } from 'ferrograph'

setRandomSeed(2)
const signal = Input({ shape: [16], name: 'signal' })
const encoder = Model({ inputs: signal, outputs: layers.Dense({ units: 3, activation: 'tanh' })(signal), name: 'encoder' })
const code = Input({ shape: [3], name: 'code' })
const decoder = Model({ inputs: code, outputs: layers.Dense({ units: 16 })(code), name: 'decoder' })

const input = Input({ shape: [16] })
const autoencoder = Model({ inputs: input, outputs: decoder(encoder(input)), name: 'autoencoder' })
autoencoder.summary({ expandNested: true })

// Waves of three frequencies: three numbers are enough to describe them.
const waves = tensor(Float32Array.from({ length: 300 * 16 }, (_, i) => Math.sin(((i % 16) * (1 + (Math.floor(i / 16) % 3))) / 4)), [300, 16])
autoencoder.compile({ optimizer: 'adam', loss: 'mse' })
const { history } = await autoencoder.fit(waves, waves, { epochs: 60, verbose: 0 })
console.log(`reconstruction error: ${history.loss[0].toFixed(4)} -> ${history.loss.at(-1).toFixed(4)}`)
console.log('the encoder was trained with it:', (await encoder.predict(waves)).shape)

const member = () => {
  const inputs = Input({ shape: [128] })
  return Model({ inputs, outputs: layers.Dense({ units: 1 })(inputs) })
}
const inputs = Input({ shape: [128] })
const ensemble = Model({ inputs, outputs: layers.Average()([member(), member(), member()].map((model) => model(inputs))) })
console.log(`an ensemble of three has ${ensemble.countParams()} parameters`)
if (!(history.loss.at(-1) < history.loss[0] / 4)) process.exitCode = 1
