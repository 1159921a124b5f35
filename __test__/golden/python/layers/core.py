"""Cases for Dense, activations, shape layers, Dropout and Embedding."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler

ACTIVATIONS = [
    "relu", "sigmoid", "tanh", "elu", "gelu", "softplus", "softmax", "linear", "log_softmax", "exponential",
    "leaky_relu", "relu6", "silu", "selu", "softsign", "hard_sigmoid", "mish",
]
MORE_ACTIVATIONS = [
    "celu", "hard_silu", "log_sigmoid", "sparse_sigmoid", "hard_tanh", "tanh_shrink", "sparse_plus", "squareplus",
    "soft_shrink", "hard_shrink", "sparsemax",
]
# Where the derivative of some activation jumps; values between them keep both sides honest.
KINKS = [-6.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0]


def dense():
    def x(*shape):
        return Sampler(f"dense input {shape}").normal(*shape)

    cases = [record(f"activation_{a}", lambda a=a: layers.Dense(5, activation=a), x(4, 3)) for a in ACTIVATIONS]
    cases += [
        record("rank_3", lambda: layers.Dense(4), x(2, 3, 5)),
        record("rank_3_softmax", lambda: layers.Dense(4, activation="softmax"), x(2, 3, 5)),
        record("rank_4_relu", lambda: layers.Dense(3, activation="relu"), x(2, 2, 3, 4)),
        record("no_bias", lambda: layers.Dense(4, use_bias=False), x(3, 5)),
        record("no_bias_tanh", lambda: layers.Dense(4, use_bias=False, activation="tanh"), x(3, 5)),
        record("one_unit_one_feature_one_row", lambda: layers.Dense(1), x(1, 1)),
        record("odd_tile_edges", lambda: layers.Dense(33, activation="relu"), x(9, 35)),
        record("one_row_wide", lambda: layers.Dense(70), x(1, 9)),
        record("many_rows_narrow", lambda: layers.Dense(2), x(37, 3)),
        record(
            "mask_passes_through",
            lambda: layers.Dense(2),
            x(2, 4, 3),
            mask=np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool),
        ),
    ]
    return cases


def activation():
    x = Sampler("activation").normal(3, 6, scale=2.0)
    kinks = np.array([KINKS, KINKS[::-1]], np.float32)
    cases = [record(a, lambda a=a: layers.Activation(a), x) for a in ACTIVATIONS + MORE_ACTIVATIONS]
    cases += [
        record(f"{a}_at_kinks", lambda a=a: layers.Activation(a), kinks)
        for a in (
            "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hard_sigmoid", "hard_silu", "hard_tanh", "softsign",
            "sparse_sigmoid", "sparse_plus", "soft_shrink", "hard_shrink",
        )
    ]
    large = np.array([[-1e4, -100, -20, -1e-3, -1e-8], [1e4, 100, 20, 1e-3, 1e-8]], np.float32)
    cases += [
        record(f"{a}_large_and_small", lambda a=a: layers.Activation(a), large)
        for a in ACTIVATIONS
        if a not in ("linear", "exponential")
    ]
    cases.append(record("mask_passes_through", lambda: layers.Activation("relu"), x, mask=np.array([1, 0, 1], bool)))
    return cases


def relu():
    x = Sampler("relu").normal(3, 7, scale=3.0)
    edge = np.array([KINKS + [2.0, 4.0]], np.float32)
    options = {
        "default": {},
        "max_value": {"max_value": 2.0},
        "negative_slope": {"negative_slope": 0.1},
        "threshold": {"threshold": 1.0},
        "all_options": {"max_value": 4.0, "negative_slope": 0.25, "threshold": 0.5},
        "relu6": {"max_value": 6.0},
    }
    return [
        record(f"{name}{suffix}", lambda o=o: layers.ReLU(**o), data)
        for name, o in options.items()
        for suffix, data in (("", x), ("_at_kinks", edge))
    ]


def leaky_relu():
    x = Sampler("leaky").normal(3, 5, scale=2.0)
    return [
        record("default", lambda: layers.LeakyReLU(), x),
        record("slope", lambda: layers.LeakyReLU(negative_slope=0.05), x),
    ]


def elu():
    x = Sampler("elu").normal(3, 5, scale=2.0)
    return [record("default", lambda: layers.ELU(), x), record("alpha", lambda: layers.ELU(alpha=0.5), x)]


def softmax():
    x = Sampler("softmax").normal(2, 3, 4, scale=2.0)
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    return [
        record("default", lambda: layers.Softmax(), x),
        record("axis_1", lambda: layers.Softmax(axis=1), x),
        record("axis_list", lambda: layers.Softmax(axis=[1, 2]), x),
        record("extent_one", lambda: layers.Softmax(), x[:, :, :1]),
        record("large_values", lambda: layers.Softmax(), x * np.float32(200)),
        record("mask_with_a_fully_masked_row", lambda: layers.Softmax(), x[0], mask=mask),
        record("mask_axis_list", lambda: layers.Softmax(axis=[1, 2]), x, mask=np.stack([mask, ~mask])),
    ]


def flatten():
    def x(*shape):
        return Sampler("flatten").normal(*shape)

    return [
        record("rank_4", lambda: layers.Flatten(), x(2, 3, 2, 2)),
        record("rank_3", lambda: layers.Flatten(), x(2, 3, 4)),
        record("rank_2", lambda: layers.Flatten(), x(2, 3)),
        record("rank_1", lambda: layers.Flatten(), x(3)),
        record("extents_of_one", lambda: layers.Flatten(), x(1, 1, 1, 1)),
    ]


def reshape():
    def x(*shape):
        return Sampler("reshape").normal(*shape)

    return [
        record("split", lambda: layers.Reshape((3, 4)), x(2, 12)),
        record("merge", lambda: layers.Reshape((24,)), x(2, 2, 3, 4)),
        record("unknown_extent", lambda: layers.Reshape((-1, 2)), x(2, 3, 4)),
        record("unknown_extent_only", lambda: layers.Reshape((-1,)), x(2, 3, 4)),
        record("to_image", lambda: layers.Reshape((2, 3, 1)), x(1, 6)),
        record("same", lambda: layers.Reshape((3,)), x(4, 3)),
    ]


def dropout():
    x = Sampler("dropout").normal(3, 4)
    return [
        record("inference", lambda: layers.Dropout(0.5), x, training=False),
        record("rate_zero_training", lambda: layers.Dropout(0.0), x, training=True),
        record("noise_shape", lambda: layers.Dropout(0.3, noise_shape=(None, 1), seed=3), x, training=False),
    ]


def embedding():
    ids = np.array([[1, 4, 0], [2, 2, 0]], np.int32)
    return [
        record("default", lambda: layers.Embedding(5, 3), ids),
        record("mask_zero", lambda: layers.Embedding(5, 3, mask_zero=True), ids),
        record("rank_1", lambda: layers.Embedding(5, 2), ids[0]),
        record("rank_3", lambda: layers.Embedding(6, 2), ids[None]),
        record("float_ids", lambda: layers.Embedding(5, 3), ids.astype(np.float32)),
        record("one_row_repeated", lambda: layers.Embedding(1, 4), np.zeros((2, 7), np.int32)),
        record("output_dim_one", lambda: layers.Embedding(7, 1, mask_zero=True), np.array([[6, 5, 0, 3]], np.int32)),
    ]


FILES = {
    "dense": dense, "activation": activation, "re_lu": relu, "leaky_re_lu": leaky_relu, "elu": elu,
    "softmax": softmax, "flatten": flatten, "reshape": reshape, "dropout": dropout, "embedding": embedding,
}
