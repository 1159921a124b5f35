"""Keras on TensorFlow: predictions by the compiled function of the model, training by `train_on_batch`."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras import layers

from cannot import Cannot  # noqa: F401, the worker looks for it here


def prepare(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def forms(_network, _kind):
    return ["graph", "xla"]


class Engine:
    def __init__(self, network, kind, form):
        self.model = _build(network)
        xla = form == "xla"
        if kind == "predict":
            self.run = tf.function(lambda x: self.model(x, training=False), jit_compile=xla, reduce_retracing=True)
            return
        adam = network.adam
        optimizer = keras.optimizers.Adam(adam["learningRate"], adam["beta1"], adam["beta2"], adam["epsilon"])
        self.model.compile(optimizer=optimizer, loss=network.loss, jit_compile=xla)

    def predict(self, data):
        return [output.numpy() for output in tf.nest.flatten(self.run([tf.constant(part) for part in data]))]

    def train(self, data, targets, check):
        # The loss returned is a running mean, which the comparison must begin anew.
        if check:
            self.model.reset_metrics()
        result = self.model.train_on_batch(data, targets)
        return result[0] if isinstance(result, list) else result


def _build(network):
    inputs = [keras.Input(each["shape"], name=each["name"], dtype=each["dtype"]) for each in network.inputs]
    values = {each["name"]: value for each, value in zip(network.inputs, inputs)}
    for step in network.steps:
        layer = _makers[step["kind"]](
            name=step["name"], **{_snake(key): value for key, value in step["options"].items()}
        )
        operands = [values[source] for source in step["inputs"]]
        values[step["name"]] = layer(operands if len(operands) > 1 else operands[0])
        layer.set_weights(step["weights"])
    return keras.Model(inputs, [values[each["name"]] for each in network.outputs])


def _snake(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


_makers = {
    "dense": layers.Dense,
    "conv2d": layers.Conv2D,
    "depthwiseConv2d": layers.DepthwiseConv2D,
    "batchNormalization": layers.BatchNormalization,
    "maxPooling2d": layers.MaxPooling2D,
    "globalAveragePooling2d": layers.GlobalAveragePooling2D,
    "zeroPadding2d": layers.ZeroPadding2D,
    "flatten": layers.Flatten,
    "add": layers.Add,
    "concatenate": layers.Concatenate,
    "relu": layers.ReLU,
    "embedding": layers.Embedding,
    "lstm": layers.LSTM,
}
