/** Expansion, filters, number of blocks and first stride of each stage. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
]

/** MobileNetV2 of `keras.applications` for 224 x 224 x 3 images, width 1, 1000 classes. */
export default {
  name: 'mobilenetv2',
  network(net) {
    const relu6 = (x) => net.relu(net.batchNormalization(x), { maxValue: 6 })
    const pointwise = (x, filters) => net.conv2d(x, { filters, kernelSize: 1, padding: 'same', useBias: false })
    const image = net.input([224, 224, 3])
    let x = relu6(net.conv2d(image, { filters: 32, kernelSize: 3, strides: 2, padding: 'same', useBias: false }))
    let channels = 32
    for (const [expansion, filters, blocks, firstStride] of stages) {
      for (let block = 0; block < blocks; block++) {
        const strides = block === 0 ? firstStride : 1
        let inner = expansion === 1 ? x : relu6(pointwise(x, expansion * channels))
        if (strides === 2)
          inner = net.zeroPadding2d(inner, {
            padding: [
              [0, 1],
              [0, 1],
            ],
          })
        const padding = strides === 2 ? 'valid' : 'same'
        inner = relu6(net.depthwiseConv2d(inner, { kernelSize: 3, strides, padding, useBias: false }))
        inner = net.batchNormalization(pointwise(inner, filters))
        x = block === 0 ? inner : net.add(x, inner)
        channels = filters
      }
    }
    x = net.globalAveragePooling2d(relu6(pointwise(x, 1280)))
    return net.dense(x, { units: 1000, activation: 'softmax' })
  },
  gain: 1.5,
  predict: [1, 8],
  train: [],
}
