/** Dense layers 784-512-512-10. */
export default {
  name: 'mlp',
  network(net) {
    const image = net.input([784])
    let x = net.dense(image, { units: 512, activation: 'relu' })
    x = net.dense(x, { units: 512, activation: 'relu' })
    return net.dense(x, { units: 10, activation: 'softmax' })
  },
  loss: 'categorical_crossentropy',
  predict: [1, 32, 256],
  train: [64],
}
