"""Initializers: the distribution Keras asks its random generator for, and fixed values."""

import keras
import numpy as np
from keras import initializers, layers
from keras.src.initializers import random_initializers

from encoding import tensor, write
from environment import fresh_session

SHAPES = [(), (7,), (1, 1), (3, 5), (64, 10), (3, 3, 1, 8), (3, 3, 16, 32), (1, 1, 4, 2), (5, 3, 6), (2, 3, 4, 5, 6)]
FAN_BASED = ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal")
STRINGS = (
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "uniform", "normal",
    "random_uniform", "random_normal", "truncated_normal", "zeros", "ones", "zero", "one", "orthogonal", "identity",
)


class _Asked(Exception):
    pass


class _Recorder:
    """Takes the place of keras.src.backend.random inside the initializers and notes the request."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        if name not in ("uniform", "normal", "truncated_normal"):
            return getattr(self.real, name)

        def ask(*args, **kwargs):
            options = {k: float(v) for k, v in kwargs.items() if k in ("mean", "stddev", "minval", "maxval")}
            raise _Asked({"distribution": name, **options})

        return ask


def _distribution(initializer, shape):
    real = random_initializers.random
    random_initializers.random = _Recorder(real)
    try:
        initializer(shape, dtype="float32")
    except _Asked as asked:
        return asked.args[0]
    finally:
        random_initializers.random = real
    raise ValueError("no random numbers were asked for")


def _random_case(initializer, shape):
    return {
        "config": keras.saving.serialize_keras_object(initializer),
        "shape": list(shape),
        **_distribution(initializer, shape),
    }


def _variance_scaling():
    cases = []
    for mode in ("fan_in", "fan_out", "fan_avg"):
        for distribution in ("truncated_normal", "untruncated_normal", "uniform"):
            initializer = initializers.VarianceScaling(scale=1.5, mode=mode, distribution=distribution)
            cases += [_random_case(initializer, shape) for shape in ((3, 5), (3, 3, 4, 8))]
    return cases


def _fixed():
    table = [
        (initializers.Zeros(), (2, 3)), (initializers.Ones(), (2, 3)), (initializers.Constant(0.25), (3,)),
        (initializers.Identity(), (2, 3)), (initializers.Identity(gain=2.0), (3, 3)), (initializers.Zeros(), ()),
    ]
    return [
        {
            "config": keras.saving.serialize_keras_object(initializer),
            "shape": list(shape),
            "values": tensor(np.asarray(initializer(shape, dtype="float32"))),
        }
        for initializer, shape in table
    ]


def _orthogonal():
    """The values are random; W is (product of the first extents, last extent), and its shorter side is orthonormal."""
    cases = []
    for gain in (1.0, 1.5):
        for shape in ((4, 4), (3, 8), (8, 3), (2, 3, 4), (5, 20), (1, 6)):
            initializer = initializers.Orthogonal(gain=gain, seed=1)
            value = np.asarray(initializer(shape, dtype="float32")).reshape(-1, shape[-1]).astype(np.float64)
            wide = value.shape[0] < value.shape[1]
            gram = value @ value.T if wide else value.T @ value
            if np.abs(gram - gain**2 * np.eye(len(gram))).max() > 1e-5:
                raise ValueError("not orthogonal")
            cases.append(
                {
                    "config": keras.saving.serialize_keras_object(initializer),
                    "shape": list(shape),
                    "orthogonal": "rows" if wide else "columns",
                    "squared_norm": gain**2,
                }
            )
    return cases


def _layer_defaults():
    """Fixed initial values that layers make of their own accord."""
    builds = {
        "lstm_unit_forget_bias": (lambda: layers.LSTM(2), (None, 3, 4)),
        "lstm_no_unit_forget_bias": (lambda: layers.LSTM(2, unit_forget_bias=False), (None, 3, 4)),
        "gru_reset_after": (lambda: layers.GRU(2), (None, 3, 4)),
        "gru_reset_before": (lambda: layers.GRU(2, reset_after=False), (None, 3, 4)),
        "batch_normalization": (lambda: layers.BatchNormalization(), (None, 3)),
        "layer_normalization": (lambda: layers.LayerNormalization(), (None, 3)),
        "dense": (lambda: layers.Dense(2), (None, 3)),
        "conv2d": (lambda: layers.Conv2D(2, 3), (None, 5, 5, 3)),
    }
    fixed = ("bias", "gamma", "beta", "moving_mean", "moving_variance")
    cases = []
    for name, (make_layer, shape) in builds.items():
        fresh_session()
        layer = make_layer()
        layer.build(shape)
        cases.append(
            {
                "name": name,
                "config": keras.saving.serialize_keras_object(layer),
                "weights": [
                    {
                        "path": w.path,
                        "shape": list(w.shape),
                        **({"values": tensor(np.array(w.value))} if w.name in fixed else {}),
                    }
                    for w in layer.weights
                ],
            }
        )
    return cases


def make(out):
    fresh_session()
    by_fan = [_random_case(getattr(initializers, k)(), shape) for k in FAN_BASED for shape in SHAPES]
    plain = [
        initializers.RandomUniform(), initializers.RandomUniform(-1.0, 2.0), initializers.RandomNormal(),
        initializers.RandomNormal(1.0, 0.5), initializers.TruncatedNormal(), initializers.TruncatedNormal(0.0, 2.0),
    ]
    write(
        out / "initializers.json",
        {
            "random": by_fan + [_random_case(i, (3, 5)) for i in plain] + _variance_scaling(),
            "fixed": _fixed(),
            "orthogonal": _orthogonal(),
            "layer_defaults": _layer_defaults(),
            "strings": [
                {"name": s, "config": keras.saving.serialize_keras_object(initializers.get(s))} for s in STRINGS
            ],
        },
    )
