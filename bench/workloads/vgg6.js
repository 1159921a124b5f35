/** Six 3 x 3 convolutions with BatchNormalization on 32 x 32 x 3 images. */
export default {
  name: 'vgg6',
  network(net) {
    let x = net.input([32, 32, 3])
    for (const filters of [64, 128, 256]) {
      for (let i = 0; i < 2; i++) {
        x = net.conv2d(x, { filters, kernelSize: 3, padding: 'same' })
        x = net.relu(net.batchNormalization(x))
      }
      x =
        filters < 256
          ? net.maxPooling2d(x, { poolSize: 2 })
          : net.globalAveragePooling2d(net.maxPooling2d(x, { poolSize: 2 }))
    }
    return net.dense(x, { units: 10, activation: 'softmax' })
  },
  loss: 'categorical_crossentropy',
  predict: [1, 64],
  train: [64],
  largest: { 'tfjs-cpu': { predict: 1, train: 0 } },
}
