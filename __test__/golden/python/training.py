"""Short training runs with everything random taken out: no shuffling, no dropout, given initial weights."""

import json

import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers

from encoding import named, tensors, write
from environment import fresh_session
from samples import Sampler, randomize


def run(name, build, compile_options, data, *, batch_size, epochs, **fit_options):
    """`data` holds x, y and perhaps sample_weight, each an array, a list or a dict of arrays by name."""
    fresh_session()
    sampler = Sampler(name)
    model = build()
    randomize(sampler, model.weights)
    record = {"model": json.loads(model.to_json())}
    model.compile(**compile_options())
    record["compile"] = model.get_compile_config()
    record["initial_weights"] = named(model.weights)
    record.update(tensors(data))
    record.update(batch_size=batch_size, epochs=epochs, **fit_options)
    history = model.fit(**data, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0, **fit_options)
    record["steps"] = int(model.optimizer.iterations)
    record["history"] = history.history
    record["final_weights"] = named(model.weights)
    if sum(v.value.size for v in model.optimizer.variables) < 2000:
        record["optimizer_variables"] = named(model.optimizer.variables)
    scores = model.evaluate(**data, batch_size=batch_size, verbose=0, return_dict=True)
    record["evaluate"] = scores
    record["predict"] = tensors(model.predict(data["x"], batch_size=batch_size, verbose=0))
    return record


def one_hot(ids, count):
    return np.eye(count, dtype=np.float32)[ids]


def mlp_adam():
    def build():
        x = keras.Input((6,), name="features")
        h = layers.Dense(8, activation="relu", name="hidden")(x)
        h = layers.Dense(5, activation="tanh", name="hidden_2")(h)
        return keras.Model(x, layers.Dense(3, activation="softmax", name="probabilities")(h), name="mlp")

    s = Sampler("mlp_adam data")
    x = s.normal(37, 6, digits=2)
    y = np.argmax(x[:, :3] + x[:, 3:], axis=-1).astype(np.int32)
    options = lambda: {
        "optimizer": optimizers.Adam(0.01),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    return run("mlp_adam", build, options, {"x": x, "y": y}, batch_size=8, epochs=4)


def cnn_sgd():
    def build():
        x = keras.Input((6, 6, 2), name="image")
        h = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv")(x)
        h = layers.BatchNormalization(momentum=0.9, name="norm")(h)
        h = layers.ReLU(name="relu")(h)
        h = layers.MaxPooling2D(name="pool")(h)
        h = layers.Conv2D(5, 2, strides=2, padding="same", activation="relu", name="conv_2")(h)
        h = layers.Flatten(name="flat")(h)
        return keras.Model(x, layers.Dense(3, activation="softmax", name="label")(h), name="cnn")

    s = Sampler("cnn_sgd data")
    data = {"x": s.normal(18, 6, 6, 2, digits=2), "y": one_hot(s.integers(0, 3, 18), 3)}
    options = lambda: {
        "optimizer": optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "loss": losses.CategoricalCrossentropy(label_smoothing=0.1),
        "metrics": ["categorical_accuracy"],
    }
    return run("cnn_sgd", build, options, data, batch_size=4, epochs=4)


def lstm_rmsprop():
    def build():
        ids = keras.Input((None,), dtype="int32", name="tokens")
        h = layers.Embedding(12, 4, mask_zero=True, name="embed")(ids)
        h = layers.LSTM(5, name="lstm")(h)
        return keras.Model(ids, layers.Dense(1, activation="sigmoid", name="score")(h), name="text")

    s = Sampler("lstm_rmsprop data")
    x = s.integers(1, 12, 20, 6)
    for row, length in enumerate(s.integers(1, 7, 20)):
        x[row, length:] = 0
    x[7] = 0
    y = (x.sum(-1, keepdims=True) > 18).astype(np.float32)
    options = lambda: {
        "optimizer": optimizers.RMSprop(0.005, rho=0.8, momentum=0.5, centered=True),
        "loss": "binary_crossentropy",
        "metrics": ["accuracy"],
    }
    return run(
        "lstm_rmsprop", build, options, {"x": x, "y": y}, batch_size=4, epochs=4, class_weight={0: 1.0, 1: 2.5}
    )


def _two_heads(name, by_name):
    """Targets, weights and outputs all by name, or all by position: Keras 3.15.1 refuses weights in another form."""

    def build():
        a = keras.Input((4,), name="left")
        b = keras.Input((3,), name="right")
        h = layers.Concatenate(name="joined")([layers.Dense(4, activation="relu", name="from_left")(a), b])
        h = layers.Dense(6, activation="gelu", name="trunk")(h)
        kind = layers.Dense(3, activation="softmax", name="kind")(h)
        score = layers.Dense(1, name="score")(h)
        return keras.Model([a, b], {"kind": kind, "score": score} if by_name else [kind, score], name="two_heads")

    s = Sampler("two_heads data")
    data = {
        "x": {"left": s.normal(18, 4, digits=2), "right": s.normal(18, 3, digits=2)},
        "y": {"kind": s.integers(0, 3, 18), "score": s.normal(18, 1, digits=2)},
        "sample_weight": {"kind": s.uniform(0.2, 2, 18, digits=1), "score": s.uniform(0, 1.5, 18, digits=1)},
    }
    if not by_name:
        data = {key: list(value.values()) for key, value in data.items()}
    options = lambda: {
        "optimizer": optimizers.AdamW(0.01, weight_decay=0.02, clipnorm=0.5),
        "loss": {"kind": "sparse_categorical_crossentropy", "score": "mse"},
        "loss_weights": {"kind": 1.0, "score": 0.5},
        "metrics": {"kind": ["accuracy"], "score": ["mae"]},
        "weighted_metrics": {"score": ["mae"]},
    }
    return run(name, build, options, data, batch_size=4, epochs=4)


def two_heads_adamw():
    return _two_heads("two_heads_adamw", False)


def two_heads_by_name():
    return _two_heads("two_heads_by_name", True)


def regularized_mlp():
    def build():
        x = keras.Input((5,), name="features")
        h = layers.Dense(
            7,
            activation="elu",
            kernel_regularizer=regularizers.L2(0.02),
            bias_regularizer=regularizers.L1(0.01),
            name="l2_kernel",
        )(x)
        h = layers.Dense(
            6,
            activation="sigmoid",
            kernel_regularizer=regularizers.L1L2(0.005, 0.01),
            activity_regularizer=regularizers.L2(0.03),
            name="l1_l2_kernel",
        )(h)
        logits = layers.Dense(4, activity_regularizer=regularizers.L1(0.01), name="logits")(h)
        return keras.Model(x, logits, name="regularized")

    s = Sampler("regularized data")
    data = {"x": s.normal(20, 5, digits=2), "y": s.integers(0, 4, 20)}
    options = lambda: {
        "optimizer": optimizers.SGD(0.1),
        "loss": losses.SparseCategoricalCrossentropy(from_logits=True),
        "metrics": ["sparse_categorical_accuracy"],
    }
    return run("regularized_mlp", build, options, data, batch_size=4, epochs=5, validation_split=0.25)


def guide_mlp():
    """Guide B's model: its loss curve over 10 epochs."""

    def build():
        x = keras.Input((32,))
        h = layers.Dense(64, activation="relu")(x)
        h = layers.Dense(32, activation="relu")(h)
        return keras.Model(x, layers.Dense(1, activation="sigmoid")(h))

    s = Sampler("guide_mlp data")
    x = s.normal(48, 32, digits=1)
    data = {"x": x, "y": (x[:, :4].sum(-1, keepdims=True) > 0).astype(np.float32)}
    options = lambda: {"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    return run("guide_mlp", build, options, data, batch_size=32, epochs=10)


RUNS = (mlp_adam, cnn_sgd, lstm_rmsprop, two_heads_adamw, two_heads_by_name, regularized_mlp, guide_mlp)


def make(out):
    for function in RUNS:
        record = function()
        expected = 20
        if record["steps"] != expected:
            raise ValueError(f"{function.__name__}: {record['steps']} steps")
        write(out / "training" / f"{function.__name__}.json", record)
