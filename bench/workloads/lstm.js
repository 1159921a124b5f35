/** Embedding(10000, 64) and LSTM(32) over 50 steps, one probability out. */
export default {
  name: 'lstm',
  network(net) {
    const words = net.input([50], { dtype: 'int32', high: 10_000 })
    let x = net.embedding(words, { inputDim: 10_000, outputDim: 64 })
    x = net.lstm(x, { units: 32 })
    return net.dense(x, { units: 1, activation: 'sigmoid' })
  },
  loss: 'binary_crossentropy',
  predict: [1, 32, 256],
  train: [1, 32],
  largest: { 'tfjs-cpu': { train: 1 } },
}
