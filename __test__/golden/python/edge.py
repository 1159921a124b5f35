"""edge.json: what Keras does with nothing, with NaN and infinity, with ties and with everything masked."""

import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import layers, ops

from encoding import tensor, tensors, write
from environment import fresh_session
from layer_case import record
from samples import Sampler

NAN, INF = np.float32(np.nan), np.float32(np.inf)


def _f(*values):
    return np.array(values, np.float32)


def _layers():
    x = Sampler("edge").normal
    nan_image = Sampler("edge image").distinct(1, 4, 4, 2)
    nan_image[0, 1, 2, 0] = NAN
    infinite = _f([-INF, -1, 0, INF, NAN, 3e38])
    rows = [
        record("dense_batch_0", lambda: layers.Dense(3, activation="relu"), x(0, 4)),
        record("dense_softmax_batch_0", lambda: layers.Dense(3, activation="softmax"), x(0, 4)),
        record("dense_no_features", lambda: layers.Dense(3), x(2, 0)),
        record("conv2d_batch_0", lambda: layers.Conv2D(2, 3, padding="same"), x(0, 5, 5, 3)),
        record("max_pooling2d_batch_0", lambda: layers.MaxPooling2D(), x(0, 4, 4, 2)),
        record("global_average_pooling2d_batch_0", lambda: layers.GlobalAveragePooling2D(), x(0, 3, 3, 2)),
        record("global_average_pooling2d_no_cells", lambda: layers.GlobalAveragePooling2D(), x(2, 0, 3, 2)),
        record("batch_normalization_batch_0_training", lambda: layers.BatchNormalization(), x(0, 3), training=True),
        record("batch_normalization_batch_0_inference", lambda: layers.BatchNormalization(), x(0, 3), training=False),
        record("flatten_batch_0", lambda: layers.Flatten(), x(0, 2, 3)),
        record("concatenate_batch_0", lambda: layers.Concatenate(), [x(0, 2), x(0, 3)]),
        record("concatenate_empty_part", lambda: layers.Concatenate(), [x(2, 0), x(2, 3)]),
        record("embedding_batch_0", lambda: layers.Embedding(4, 2, mask_zero=True), np.zeros((0, 3), np.int32)),
        record("lstm_batch_0", lambda: layers.LSTM(2), x(0, 3, 2)),
        record("lstm_all_masked", lambda: layers.LSTM(2, return_state=True), x(2, 3, 2), mask=np.zeros((2, 3), bool)),
        record(
            "lstm_all_masked_sequences",
            lambda: layers.LSTM(2, return_sequences=True),
            x(2, 3, 2),
            mask=np.zeros((2, 3), bool),
        ),
        record("softmax_all_masked", lambda: layers.Softmax(), x(2, 3), mask=np.zeros((2, 3), bool)),
        record("softmax_equal", lambda: layers.Softmax(), np.full((1, 4), 7, np.float32)),
        record("softmax_minus_infinity", lambda: layers.Softmax(), _f([0, -INF, 1])),
        record("softmax_all_minus_infinity", lambda: layers.Softmax(), _f([-INF, -INF])),
        record("softmax_infinity", lambda: layers.Softmax(), _f([0, INF, 1])),
        record("max_pooling2d_nan", lambda: layers.MaxPooling2D(), nan_image, gradients=False),
        record("average_pooling2d_nan", lambda: layers.AveragePooling2D(2), nan_image, gradients=False),
        record("global_max_pooling2d_nan", lambda: layers.GlobalMaxPooling2D(), nan_image, gradients=False),
        record("max_pooling2d_infinity", lambda: layers.MaxPooling2D(), np.full((1, 2, 2, 1), -INF), gradients=False),
        record("conv2d_nan", lambda: layers.Conv2D(2, 2), nan_image, gradients=False),
        record("dense_infinity", lambda: layers.Dense(2), _f([1, INF, -2]), gradients=False),
    ]
    names = (
        "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign", "gelu",
        "silu", "mish", "exponential", "linear", "softmax", "log_softmax",
    )
    rows += [
        record(f"activation_{n}_not_finite", lambda n=n: layers.Activation(n), infinite, gradients=False) for n in names
    ]
    return rows


def _operation_cases():
    nan_row = _f(1, NAN, 3)
    ties = _f([2, 5, 5, 1], [7, 7, 7, 7])
    ints = np.array([7, -7, 7, -7, 0], np.int32)
    divisors = np.array([2, 2, -2, -2, 3], np.int32)
    floats = _f(-INF, -2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, INF, NAN)
    empty = np.zeros((0, 3), np.float32)
    cases = [
        ("argmax", [ties], {"axis": -1}), ("argmin", [ties], {"axis": -1}), ("argmax", [nan_row], {"axis": -1}),
        ("argmin", [nan_row], {"axis": -1}), ("argmax", [_f(-INF, -INF)], {"axis": -1}),
        ("max", [nan_row], {"axis": -1}), ("min", [nan_row], {"axis": -1}), ("sum", [nan_row], {"axis": -1}),
        ("maximum", [nan_row, _f(2, 2, 2)], {}), ("minimum", [_f(2, 2, 2), nan_row], {}),
        ("clip", [floats], {"x_min": -1.0, "x_max": 1.0}), ("relu", [floats], {}), ("sign", [floats], {}),
        ("abs", [floats], {}), ("round", [floats], {}), ("floor", [floats], {}), ("ceil", [floats], {}),
        ("sqrt", [floats], {}), ("log", [floats], {}), ("exp", [floats], {}), ("square", [floats], {}),
        ("rsqrt", [floats], {}), ("tanh", [floats], {}), ("sigmoid", [floats], {}), ("isnan", [floats], {}),
        ("isfinite", [floats], {}), ("reciprocal", [floats], {}),
        ("divide", [_f(1, -1, 0, INF), _f(0, 0, 0, INF)], {}),
        ("floor_divide", [_f(7, -7, 7, -7, 1), _f(2, 2, -2, -2, 0)], {}),
        ("mod", [_f(7, -7, 7, -7, 1), _f(2, 2, -2, -2, 0)], {}),
        ("floor_divide", [ints, divisors], {}), ("mod", [ints, divisors], {}),
        ("divide", [ints, divisors], {}),
        ("power", [_f(0, -8, 2, 0, -2, NAN, 1), _f(0, 1 / 3, -1, -1, 2, 0, NAN)], {}),
        ("equal", [nan_row, nan_row], {}), ("not_equal", [nan_row, nan_row], {}), ("less", [nan_row, _f(2, 2, 2)], {}),
        ("greater_equal", [nan_row, _f(1, 1, 3)], {}), ("logical_not", [_f(0, NAN, 1, -0.0)], {}),
        ("sum", [empty], {"axis": 0}), ("prod", [empty], {"axis": 0}), ("mean", [empty], {"axis": 0}),
        ("var", [empty], {"axis": 0}), ("max", [empty], {"axis": 0}), ("argmax", [empty], {"axis": 0}),
        ("any", [empty], {"axis": 0}), ("all", [empty], {"axis": 0}),
        ("matmul", [np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32)], {}),
        ("concatenate", [[empty, _f([1, 2, 3])]], {"axis": 0}),
        ("cast", [_f(2.7, -2.7, 0.5, -0.5)], {"dtype": "int32"}), ("cast", [_f(0, NAN, -0.0, 3)], {"dtype": "bool"}),
        ("cast", [np.array([16777217, -1], np.int32)], {"dtype": "float32"}),
        ("one_hot", [np.array([0, 2, 3, -1], np.int32)], {"num_classes": 3}),
        ("take", [_f(10, 20, 30), np.array([0, 2, -1, 3, -4], np.int32)], {}),
        ("sum", [np.array([2147483647, 1], np.int32)], {"axis": 0}),
        ("softmax", [_f([NAN, 0], [INF, INF], [-INF, 0])], {"axis": -1}),
        ("logsumexp", [_f([-INF, -INF], [1000, 1000], [INF, 0])], {"axis": -1}),
        ("top_k", [ties], {"k": 2}), ("where", [np.array([True, False]), _f(NAN, 1), _f(2, NAN)], {}),
        ("norm", [np.zeros((2,), np.float32)], {}), ("normalize", [np.zeros((1, 3), np.float32)], {"axis": -1}),
    ]
    return cases


def _operations():
    rows = []
    for name, arguments, attributes in _operation_cases():
        fresh_session()
        row = {"op": name, "arguments": tensors(arguments), "attributes": attributes}
        try:
            value = getattr(ops, name)(*arguments, **attributes)
            many = isinstance(value, (list, tuple))
            row["result"] = [tensor(np.asarray(v)) for v in value] if many else tensor(np.asarray(value))
        except Exception as error:  # noqa: BLE001  (what Keras refuses is part of the record)
            row["error"] = type(error).__name__
        rows.append(row)
    return rows


def _kink_gradients():
    """The derivative Keras (JAX) takes where there is none or where it is infinite: of sum(op(arguments))."""
    zeros = _f(-1, -0.0, 0, 1)
    ties, equal = _f([2, 5, 5, 1], [7, 7, 7, 7]), _f(1, 2, 3)
    cases = [
        ("abs", [zeros], {}), ("sign", [zeros], {}), ("relu", [zeros], {}), ("sqrt", [zeros[1:]], {}),
        ("relu6", [_f(-1, 0, 3, 6, 7)], {}), ("leaky_relu", [zeros], {}), ("elu", [zeros], {}), ("selu", [zeros], {}),
        ("hard_sigmoid", [_f(-4, -3, 0, 3, 4)], {}), ("softsign", [zeros], {}), ("square", [zeros], {}),
        ("maximum", [equal, _f(1, 3, 2)], {}), ("minimum", [equal, _f(1, 3, 2)], {}),
        ("maximum", [_f(1, NAN, 2), _f(NAN, 1, 2)], {}), ("maximum", [zeros, np.float32(0)], {}),
        ("max", [ties], {"axis": -1}), ("min", [ties], {"axis": -1}), ("max", [ties], {"axis": None}),
        ("clip", [_f(-2, -1, 0, 1, 2)], {"x_min": -1.0, "x_max": 1.0}), ("round", [zeros], {}), ("floor", [zeros], {}),
        ("power", [_f(0, 0, 0, 2, -2), _f(2, 1, 0, 0, 3)], {}), ("power", [_f(0, 4), _f(0.5, 0.5)], {}),
        ("divide", [_f(1, 0), _f(0, 0)], {}), ("log", [_f(0, 1)], {}), ("rsqrt", [_f(0, 4)], {}),
        ("prod", [_f([2, 0, 3], [0, 0, 3])], {"axis": -1}), ("std", [_f([2, 2, 2], [1, 2, 3])], {"axis": -1}),
        ("var", [_f([2, 2, 2])], {"axis": -1}), ("norm", [np.zeros((2,), np.float32)], {}),
        ("normalize", [_f([0, 0, 0], [3, 0, 4])], {"axis": -1}), ("logsumexp", [ties], {"axis": -1}),
        ("logsumexp", [_f([-INF, 0])], {"axis": -1}), ("where", [np.array([True, False]), _f(1, 2), _f(3, 4)], {}),
        ("mod", [_f(7, -7), _f(2, 2)], {}), ("sum", [ties], {"axis": -1}), ("top_k", [ties], {"k": 2}),
        ("sort", [ties], {"axis": -1}), ("softplus", [_f(-200, 0, 200)], {}), ("log_softmax", [_f([500, -500])], {}),
    ]
    rows = []
    for name, arguments, attributes in cases:
        fresh_session()
        floats = [i for i, a in enumerate(arguments) if a.dtype == np.float32]

        def total(values):
            full = list(arguments)
            for i, value in zip(floats, values):
                full[i] = value
            result = getattr(ops, name)(*full, **attributes)
            return jnp.sum(result[0] if isinstance(result, (list, tuple)) else result)

        by_argument = dict(zip(floats, jax.grad(total)([jnp.asarray(arguments[i]) for i in floats])))
        gradients = [tensors(by_argument.get(i)) for i in range(len(arguments))]
        rows.append({"op": name, "arguments": tensors(arguments), "attributes": attributes, "gradients": gradients})
    return rows


def _masks():
    """Which mask reaches the layer after Embedding(mask_zero), and what comes of it."""
    fresh_session()
    ids = np.array([[1, 2, 0], [0, 0, 0], [3, 0, 1]], np.int32)
    s = Sampler("edge masks")
    embed, lstm = layers.Embedding(4, 2, mask_zero=True), layers.LSTM(2, return_sequences=True, return_state=True)
    state = [s.normal(3, 2), s.normal(3, 2)]
    x = embed(ids)
    lstm(x)
    for variable in embed.weights + lstm.weights:
        variable.assign(s.normal(*variable.shape, scale=0.5))
    x, mask = embed(ids), ids != 0
    return {
        "ids": tensor(ids),
        "embedding_weights": [tensor(np.array(w.value)) for w in embed.weights],
        "lstm_config": keras.saving.serialize_keras_object(lstm),
        "lstm_weights": [tensor(np.array(w.value)) for w in lstm.weights],
        "initial_state": tensors(state),
        "carried_mask": [tensor(np.asarray(o)) for o in lstm(embed(ids))],
        # Beside initial_state Keras 3.15.1 looks for `sequences_mask`, which LSTM does not take: the mask is lost.
        "carried_mask_and_initial_state": [tensor(np.asarray(o)) for o in lstm(embed(ids), initial_state=state)],
        "explicit_mask_and_initial_state": [
            tensor(np.asarray(o)) for o in lstm(x, mask=mask, initial_state=state)
        ],
    }


def make(out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(
            out / "edge.json",
            {
                "layers": _layers(),
                "operations": _operations(),
                "kink_gradients": _kink_gradients(),
                "masks": _masks(),
            },
        )
