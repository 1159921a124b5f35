/** Embedding(10000, 64) and LSTM(256) over 100 steps, one probability out. */
export default {
  name: 'lstm256',
  network(net) {
    const words = net.input([100], { dtype: 'int32', high: 10_000 })
    let x = net.embedding(words, { inputDim: 10_000, outputDim: 64 })
    x = net.lstm(x, { units: 256 })
    return net.dense(x, { units: 1, activation: 'sigmoid' })
  },
  loss: 'binary_crossentropy',
  predict: [1, 32],
  train: [32],
  largest: { 'tfjs-cpu': { train: 0 } },
}
