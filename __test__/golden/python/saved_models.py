"""The models that are written to .keras files, with data to predict and to train on. Any seed gives a fresh set."""

import keras
import numpy as np
from keras import layers, losses, optimizers

from samples import Sampler


def _ids(sampler, low, high, rows, columns):
    ids = sampler.integers(low, high, rows, columns)
    ids[0, columns // 2 :] = 0
    return ids


def sequential_mlp(s):
    model = keras.Sequential(
        [
            keras.Input((5,), name="features"),
            layers.Dense(6, activation="relu"),
            layers.Dropout(0.0),
            layers.Dense(3, activation="softmax", name="probabilities"),
        ],
        name="sequential_mlp",
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, s.normal(12, 5, digits=2), s.integers(0, 3, 12)


def cnn_batch_norm(s):
    x = keras.Input((6, 6, 2), name="image")
    h = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    h = layers.BatchNormalization()(h)
    h = skip = layers.Activation("relu")(h)
    h = layers.Conv2D(4, 3, padding="same", activation="relu")(h)
    h = layers.Add()([h, skip])
    h = layers.MaxPooling2D()(h)
    h = layers.AveragePooling2D(2, padding="same")(h)
    h = layers.Flatten()(h)
    model = keras.Model(x, layers.Dense(3, activation="softmax")(h), name="cnn_batch_norm")
    model.compile(
        optimizers.Adam(0.01, amsgrad=True),
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["categorical_accuracy"],
    )
    return model, s.normal(12, 6, 6, 2, digits=2), np.eye(3, dtype=np.float32)[s.integers(0, 3, 12)]


def embedding_lstm(s):
    ids = keras.Input((None,), dtype="int32", name="tokens")
    h = layers.Embedding(10, 4, mask_zero=True)(ids)
    h = layers.LSTM(5, return_sequences=True)(h)
    h = layers.LSTM(4, go_backwards=True)(h)
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid", name="score")(h), name="embedding_lstm")
    model.compile(
        optimizers.RMSprop(0.005, momentum=0.5, centered=True), "binary_crossentropy", metrics=["accuracy"]
    )
    return model, _ids(s, 1, 10, 12, 5), s.integers(0, 2, 12, 1).astype(np.float32)


def nested_by_name(s):
    """Inputs and outputs by name, a shared layer, a nested model called twice, and operators on tensors."""
    code = keras.Input((4,), name="code")
    encoder = keras.Model(code, layers.Dense(3, activation="tanh", name="projection")(code), name="encoder")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(4, activation="relu", name="shared")
    a, b = encoder(shared(left)), encoder(shared(right))
    joined = layers.Concatenate(name="joined")([a * 2.0, a + b, 1.0 - b])
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(joined),
        "score": layers.Dense(1, name="score")(joined),
    }
    model = keras.Model({"left": left, "right": right}, outputs, name="nested_by_name")
    model.compile(
        optimizers.Adam(0.01),
        {"kind": "sparse_categorical_crossentropy", "score": "mse"},
        loss_weights={"kind": 1.0, "score": 0.5},
        metrics={"score": ["mae"]},
    )
    x = {"left": s.normal(12, 4, digits=2), "right": s.normal(12, 4, digits=2)}
    return model, x, {"kind": s.integers(0, 3, 12), "score": s.normal(12, 1, digits=2)}


def two_outputs_list(s):
    """Lists of inputs and outputs, AdamW with EMA and accumulation, SGD-like options off."""
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    h = layers.Concatenate()([a, layers.Dense(2, activation="gelu")(b)])
    model = keras.Model([a, b], [layers.Dense(2, name="first")(h), layers.Dense(1, name="second")(h)], name="lists")
    model.compile(
        optimizers.AdamW(0.01, weight_decay=0.05, use_ema=True, ema_momentum=0.8, gradient_accumulation_steps=2),
        ["mse", "mae"],
    )
    return model, [s.normal(12, 3, digits=2), s.normal(12, 2, digits=2)], [
        s.normal(12, 2, digits=2), s.normal(12, 1, digits=2)
    ]


def sgd_momentum(s):
    x = keras.Input((4,), name="features")
    h = layers.Dense(5, activation="elu", kernel_regularizer="l2")(x)
    frozen = layers.Dense(4, activation="tanh", trainable=False, name="frozen")(h)
    model = keras.Model(x, layers.Dense(2, name="out")(frozen), name="sgd_momentum")
    schedule = optimizers.schedules.ExponentialDecay(0.05, 2, 0.9)
    model.compile(optimizers.SGD(schedule, momentum=0.9, nesterov=True), "mse", metrics=["mae"])
    return model, s.normal(12, 4, digits=2), s.normal(12, 2, digits=2)


def uncompiled(s):
    x = keras.Input((4, 4, 1), name="image")
    h = layers.Conv2D(2, 2, activation="relu")(x)
    h = layers.GlobalAveragePooling2D(keepdims=True)(h)
    h = layers.Reshape((2,))(h)
    return keras.Model(x, layers.Dense(2)(layers.Softmax()(h)), name="uncompiled"), s.normal(6, 4, 4, 1, digits=2), None


MODELS = {
    f.__name__: f
    for f in (
        sequential_mlp, cnn_batch_norm, embedding_lstm, nested_by_name, two_outputs_list, sgd_momentum, uncompiled,
    )
}


def sampler(name, seed):
    return Sampler(f"saved model {name} {seed}")
