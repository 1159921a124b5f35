/** The convolutional network of Keras's MNIST example without its dropout, whose random numbers no two engines share. */
export default {
  name: 'mnist-cnn',
  network(net) {
    const image = net.input([28, 28, 1])
    let x = net.conv2d(image, { filters: 32, kernelSize: 3, activation: 'relu' })
    x = net.maxPooling2d(x, { poolSize: 2 })
    x = net.conv2d(x, { filters: 64, kernelSize: 3, activation: 'relu' })
    x = net.maxPooling2d(x, { poolSize: 2 })
    x = net.flatten(x)
    return net.dense(x, { units: 10, activation: 'softmax' })
  },
  loss: 'categorical_crossentropy',
  predict: [1, 64],
  train: [64],
  largest: { 'tfjs-cpu': { train: 0 } },
}
