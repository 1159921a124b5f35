"""Behaviour behind rows of the guides that a parameter count does not show."""

import json

import keras
import numpy as np
from keras import layers

import guide_models as g
from environment import fresh_session
from samples import Sampler, randomize


def _input_inspection():
    """Row 2."""
    fresh_session()
    tensors = {
        "default": keras.Input((784,)),
        "int32": keras.Input((None,), dtype="int32", name="text"),
        "batch_size": keras.Input((10, 5), batch_size=16),
        "batch_shape": keras.Input(batch_shape=(16, None, 3)),
        "scalar": keras.Input(()),
    }
    return [
        {
            "case": case,
            "shape": list(t.shape),
            "dtype": t.dtype,
            "tensor_name": t.name,
            "layer_name": t._keras_history.operation.name,
        }
        for case, t in tensors.items()
    ]


def _automatic_names():
    """Rows 17 and 18: the counter is per snake_case name and starts again after clear_session."""
    fresh_session()
    builds = [
        lambda: layers.Dense(1), lambda: layers.Dense(1), lambda: layers.Conv2D(1, 1), lambda: layers.MaxPooling2D(),
        lambda: layers.ReLU(), lambda: layers.LeakyReLU(), lambda: layers.LSTM(1), lambda: layers.GRU(1),
        lambda: layers.BatchNormalization(), lambda: layers.GlobalAveragePooling2D(),
        lambda: layers.Conv2DTranspose(1, 1),
        lambda: layers.AveragePooling2D(2), lambda: layers.GlobalMaxPooling2D(), lambda: layers.UpSampling2D(),
        lambda: layers.Add(), lambda: layers.Concatenate(), lambda: layers.Embedding(2, 2), lambda: layers.Flatten(),
        lambda: layers.Reshape((1,)), lambda: layers.Dropout(0.5), lambda: layers.Softmax(), lambda: layers.Dense(1),
        lambda: layers.ELU(), lambda: layers.PReLU(), lambda: layers.InputLayer((1,)), lambda: layers.Average(),
        lambda: layers.DepthwiseConv2D(1), lambda: layers.SeparableConv2D(1, 1), lambda: layers.LayerNormalization(),
        lambda: layers.Bidirectional(layers.LSTM(1)), lambda: keras.Sequential(),
        lambda: layers.MultiHeadAttention(1, 1),
    ]
    made = [build() for build in builds]
    names = [{"class_name": type(layer).__name__, "name": layer.name} for layer in made]
    x = keras.Input((2,))
    names.append({"class_name": "Functional", "name": keras.Model(x, x + 1.0).name})
    fresh_session()
    return {"names": names, "after_clear_session": layers.Dense(1).name}


class _Watch:
    """Notes what a layer's call receives."""

    log = []

    @classmethod
    def note(cls, signature, **received):
        cls.log.append({"signature": signature, **received})


class PlainKwargs(layers.Layer):
    def call(self, inputs, **kwargs):
        _Watch.note("inputs, **kwargs", kwargs=sorted(kwargs))
        return inputs


class WithTraining(layers.Layer):
    def call(self, inputs, training=None):
        _Watch.note("inputs, training", training=training)
        return inputs


class WithMask(layers.Layer):
    def call(self, inputs, mask=None):
        _Watch.note("inputs, mask", mask=mask is not None)
        return inputs


class WithBoth(layers.Layer):
    def call(self, inputs, training=None, mask=None):
        _Watch.note("inputs, training, mask", training=training, mask=mask is not None)
        return inputs


def _call_signatures():
    """Row 36: what is filled in when the layer comes straight after Embedding(mask_zero), and inside a nested model."""
    rows = []
    for kind in (PlainKwargs, WithTraining, WithMask, WithBoth):
        for nested in (False, True):
            fresh_session()
            _Watch.log = []
            ids = keras.Input((3,), dtype="int32")
            x = layers.Embedding(4, 2, mask_zero=True)(ids)
            if nested:
                inner = keras.Input((3, 2))
                x = keras.Model(inner, kind()(inner))(x)
            else:
                x = kind()(x)
            model = keras.Model(ids, x)
            model.compile("sgd", "mse")
            data, target = np.array([[1, 2, 0]], np.int32), np.zeros((1, 3, 2), np.float32)
            calls = {
                "model(x)": lambda: model(data),
                "model(x, training=True)": lambda: model(data, training=True),
                "model(x, training=False)": lambda: model(data, training=False),
                "predict": lambda: model.predict(data, verbose=0),
                "evaluate": lambda: model.evaluate(data, target, verbose=0),
                "fit": lambda: model.fit(data, target, verbose=0),
            }
            for call, run in calls.items():
                _Watch.log = []
                run()
                rows.append({"nested": nested, "call": call, **_Watch.log[-1]})
    return rows


def _same_training():
    """Rows 33 and 38: one network written in three styles trains alike from the same weights."""
    s = Sampler("styles")
    x, y = s.normal(16, 32, digits=1), s.normal(16, 10, digits=1)
    styles = {
        "functional": g.mlp_32_64_10, "sequential": g.mlp_32_64_10_sequential, "subclass": g.SubclassedMlp,
    }
    rows = []
    for style, build in styles.items():
        fresh_session()
        model = build()
        model(x)
        randomize(Sampler("styles weights"), model.weights)
        model.compile("rmsprop", "mse", metrics=["mae"])
        history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
        rows.append({"style": style, "count_params": model.count_params(), "history": history})
    losses = np.array([row["history"]["loss"] for row in rows])
    if np.ptp(losses, axis=0).max() > 1e-6:
        raise ValueError("the three styles train differently")
    return rows


def _custom_objects():
    """Row 29: how a custom layer is written, and what loading it without its class says."""
    fresh_session()
    model = g.custom_dense()
    text = model.to_json()
    own = json.loads(text)["config"]["layers"][1]
    try:
        keras.models.model_from_json(text)
        raise ValueError("an unknown class was loaded")
    except TypeError as error:
        message = str(error).splitlines()[0]
    again = keras.models.model_from_json(text, custom_objects={"CustomDense": g.CustomDense})
    return {
        "config": {key: value for key, value in own.items() if key != "module"},
        "unregistered_error": message,
        "names_after_loading": [layer.name for layer in again.layers],
    }


def _errors():
    """Row 30: mistakes that must be reported while the model is being defined (or before any data is read)."""

    def disconnected():
        a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
        keras.Model(a, layers.Dense(1)(b))

    def duplicate_names():
        a = keras.Input((2,))
        keras.Model(a, layers.Dense(1, name="same")(layers.Dense(2, name="same")(a)))

    def second_call_other_width():
        dense = layers.Dense(2)
        dense(keras.Input((3,)))
        dense(keras.Input((4,)))

    def fit_uncompiled():
        g.mlp().fit(np.zeros((1, 32)), np.zeros((1, 1)))

    def lengths_differ():
        model = g.mlp()
        model.compile("sgd", "mse")
        model.fit(np.zeros((2, 32)), np.zeros((3, 1)), verbose=0)

    def loss_keys():
        model = g.class_and_box()
        model.compile("sgd", {"class_label": "mse", "wrong": "mse"})
        model.fit(np.zeros((1, 128, 128, 3)), [np.zeros((1, 10)), np.zeros((1, 4))], verbose=0)

    cases = {
        "dense_second_call_other_width": second_call_other_width,
        "dense_rank_1": lambda: layers.Dense(2)(keras.Input(())),
        "dense_unknown_features": lambda: layers.Dense(2)(keras.Input((None,))),
        "conv2d_rank_3": lambda: layers.Conv2D(4, 3)(keras.Input((28, 28))),
        "conv2d_kernel_beyond_input": lambda: layers.Conv2D(4, 5)(keras.Input((3, 3, 1))),
        "conv2d_groups_do_not_divide": lambda: layers.Conv2D(4, 3, groups=2)(keras.Input((8, 8, 3))),
        "conv2d_filters_not_divisible": lambda: layers.Conv2D(3, 3, groups=2),
        "conv2d_strides_and_dilation": lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2),
        "max_pooling2d_rank_3": lambda: layers.MaxPooling2D()(keras.Input((28, 28))),
        "max_pooling2d_beyond_input": lambda: layers.MaxPooling2D(4)(keras.Input((3, 3, 1))),
        "lstm_rank_2": lambda: layers.LSTM(2)(keras.Input((3,))),
        "concatenate_extents": lambda: layers.Concatenate()([keras.Input((2, 3)), keras.Input((4, 3))]),
        "concatenate_one_input": lambda: layers.Concatenate()(keras.Input((2, 3))),
        "add_not_broadcastable": lambda: layers.Add()([keras.Input((2,)), keras.Input((3,))]),
        "subtract_three": lambda: layers.Subtract()([keras.Input((2,)) for _ in range(3)]),
        "reshape_count": lambda: layers.Reshape((5,))(keras.Input((4,))),
        "dense_units_zero": lambda: layers.Dense(0),
        "dense_units_float": lambda: layers.Dense(2.5),
        "dropout_rate": lambda: layers.Dropout(1.5),
        "unknown_activation": lambda: layers.Dense(2, activation="rellu"),
        "unknown_argument": lambda: layers.Dense(2, unit=3),
        "name_with_slash": lambda: layers.Dense(2, name="a/b"),
        "disconnected": disconnected,
        "duplicate_names": duplicate_names,
        "no_such_layer": lambda: g.mlp().get_layer("zz"),
        "fit_uncompiled": fit_uncompiled,
        "lengths_differ": lengths_differ,
        "loss_keys": loss_keys,
        "two_clips": lambda: keras.optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
        "unknown_loss": lambda: g.mlp().compile("sgd", "no_such_loss"),
        "unknown_optimizer": lambda: g.mlp().compile("no_such_optimizer", "mse"),
    }
    rows = []
    for name, provoke in cases.items():
        fresh_session()
        try:
            provoke()
            rows.append({"name": name, "error": None})
        except Exception as error:  # noqa: BLE001  (the kind of error is what is recorded)
            message = " ".join(str(error).split()).replace("\x1b[1m", "").replace("\x1b[0m", "")
            rows.append({"name": name, "error": type(error).__name__, "message": message[:300]})
    return rows


def collect():
    return {
        "inputs": _input_inspection(),
        "automatic_names": _automatic_names(),
        "call_signatures": _call_signatures(),
        "same_training": _same_training(),
        "custom_objects": _custom_objects(),
        "errors": _errors(),
    }
