/** Keras's guide to the Functional API: a support ticket's title, body and tags give its priority and department. */
export default {
  name: 'tickets',
  network(net) {
    const words = { dtype: 'int32', high: 10_000 }
    const title = net.input([12], { name: 'title', ...words })
    const body = net.input([100], { name: 'body', ...words })
    const tags = net.input([12], { name: 'tags' })
    const embed = (x) => net.embedding(x, { inputDim: 10_000, outputDim: 64 })
    const x = net.concatenate([net.lstm(embed(title), { units: 128 }), net.lstm(embed(body), { units: 32 }), tags])
    const priority = net.dense(x, { units: 1, activation: 'sigmoid' })
    const department = net.dense(x, { units: 4, activation: 'softmax' })
    return [priority, department]
  },
  loss: ['binary_crossentropy', 'categorical_crossentropy'],
  predict: [1, 32],
  train: [32],
  largest: { 'tfjs-cpu': { train: 0 } },
}
