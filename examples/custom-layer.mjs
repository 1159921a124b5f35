// A layer of your own: weights in `build`, the computation in `call`, options in `getConfig` so that files can hold it.
import { Input, Layer, Model, layers, loadModel, ops, registerSerializable, setRandomSeed, tensor } from 'ferrograph'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `sqrt(x^2 + epsilon)` of a learned linear map: smooth, and never negative. */
class SmoothAbs extends Layer {
  constructor({ units, epsilon = 1e-3, ...base }) {
    super(base)
    this.units = units
    this.epsilon = epsilon
  }

  build(shape) {
    this.kernel = this.addWeight({ name: 'kernel', shape: [shape.at(-1), this.units] })
  }

  call(x) {
    return ops.sqrt(ops.add(ops.square(ops.matmul(x, this.kernel)), this.epsilon))
  }

  getConfig() {
    return { ...super.getConfig(), units: this.units, epsilon: this.epsilon }
  }
}
registerSerializable(SmoothAbs, { package: 'examples' })

setRandomSeed(3)
const input = Input({ shape: [2] })
const model = Model({ inputs: input, outputs: layers.Dense({ units: 1 })(new SmoothAbs({ units: 16 })(input)) })

// Learn |a| + |b|.
const x = tensor(Float32Array.from({ length: 800 }, (_, i) => Math.sin(i * 1.7) * 2), [400, 2])
const y = tensor(Float32Array.from({ length: 400 }, (_, i) => Math.abs(x.data[2 * i]) + Math.abs(x.data[2 * i + 1])), [400, 1])
model.compile({ optimizer: 'adam', loss: 'mse' })
const { history } = await model.fit(x, y, { epochs: 100, verbose: 0 })
console.log(`mean squared error: ${history.loss[0].toFixed(4)} -> ${history.loss.at(-1).toFixed(4)}`)
console.log(`|-1| + |0.5| is about ${model.predictSync([[-1, 0.5]]).item().toFixed(3)}`)

const folder = mkdtempSync(join(tmpdir(), 'ferrograph-'))
await model.save(join(folder, 'abs.keras'))
const again = await loadModel(join(folder, 'abs.keras'))
console.log('loaded again:', again.predictSync([[-1, 0.5]]).item() === model.predictSync([[-1, 0.5]]).item())
rmSync(folder, { recursive: true })
if (!(history.loss.at(-1) < 0.05)) process.exitCode = 1
