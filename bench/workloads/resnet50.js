/** Filters, number of blocks and first stride of each stage. */
const stages = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
]

/** ResNet50 of `keras.applications` for 224 x 224 x 3 images, 1000 classes. */
export default {
  name: 'resnet50',
  network(net) {
    const convolution = (x, options) => net.batchNormalization(net.conv2d(x, options), { epsilon: 1.001e-5 })
    const pointwise = (x, filters, strides = 1) => convolution(x, { filters, kernelSize: 1, strides })
    const image = net.input([224, 224, 3])
    let x = net.zeroPadding2d(image, {
      padding: [
        [3, 3],
        [3, 3],
      ],
    })
    x = net.relu(convolution(x, { filters: 64, kernelSize: 7, strides: 2 }))
    x = net.zeroPadding2d(x, {
      padding: [
        [1, 1],
        [1, 1],
      ],
    })
    x = net.maxPooling2d(x, { poolSize: 3, strides: 2 })
    for (const [filters, blocks, firstStride] of stages) {
      for (let block = 0; block < blocks; block++) {
        const strides = block === 0 ? firstStride : 1
        const shortcut = block === 0 ? pointwise(x, 4 * filters, strides) : x
        let inner = net.relu(pointwise(x, filters, strides))
        inner = net.relu(convolution(inner, { filters, kernelSize: 3, padding: 'same' }))
        inner = pointwise(inner, 4 * filters)
        x = net.relu(net.add(shortcut, inner))
      }
    }
    return net.dense(net.globalAveragePooling2d(x), { units: 1000, activation: 'softmax' })
  },
  predict: [1],
  train: [],
}
