/** A residual network on 32 x 32 x 3 images: three 3 x 3 convolutions of 64 filters, one addition. */
export default {
  name: 'toyresnet',
  network(net) {
    const same = { filters: 64, kernelSize: 3, padding: 'same' }
    const image = net.input([32, 32, 3])
    const first = net.conv2d(image, { ...same, activation: 'relu' })
    let x = net.conv2d(first, { ...same, activation: 'relu' })
    x = net.conv2d(x, same)
    x = net.relu(net.add(x, first))
    x = net.globalAveragePooling2d(x)
    return net.dense(x, { units: 10, activation: 'softmax' })
  },
  loss: 'categorical_crossentropy',
  predict: [1, 32],
  train: [1, 32],
  largest: { 'tfjs-cpu': { train: 1 } },
}
