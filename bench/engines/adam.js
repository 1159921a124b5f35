/**
 * The optimizer of all engines. Keras adds epsilon before the correction of the moments' bias, TensorFlow.js and PyTorch
 * after it: with the usual 1e-7 the losses of the mlp differ by 0.002 after three steps, with this one all compute the same.
 */
export const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-10 }
