"""Cases for the layers that take a list of tensors."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler

MASK_A = np.array([[1, 1, 0], [1, 0, 0]], bool)
MASK_B = np.array([[1, 0, 0], [1, 1, 0]], bool)


def _x(index, *shape):
    return Sampler(f"merge {index}").normal(*shape)


def _common(layer, limit=None):
    three = [_x(0, 2, 3), _x(1, 2, 3), _x(2, 2, 3)]
    cases = [
        record("two", lambda: layer(), three[:2]),
        record("rank_4", lambda: layer(), [_x(0, 1, 2, 3, 2), _x(1, 1, 2, 3, 2)]),
        record("broadcast_one", lambda: layer(), [_x(0, 2, 3, 4), _x(1, 2, 1, 4)]),
        record("broadcast_both", lambda: layer(), [_x(0, 2, 1, 4), _x(1, 2, 3, 1)]),
        record("ranks_differ", lambda: layer(), [_x(0, 2, 3, 4), _x(1, 2, 4)]),
        record("extents_of_one", lambda: layer(), [_x(0, 1, 1), _x(1, 1, 1)]),
        record("masks", lambda: layer(), [_x(0, 2, 3, 2), _x(1, 2, 3, 2)], mask=[MASK_A, MASK_B]),
        record("one_mask", lambda: layer(), [_x(0, 2, 3, 2), _x(1, 2, 3, 2)], mask=[MASK_A, None]),
    ]
    if limit is None:
        cases.append(record("three", lambda: layer(), three))
        cases.append(record("five", lambda: layer(), [_x(i, 3, 2) for i in range(5)]))
        cases.append(record("same_tensor_values_twice", lambda: layer(), [_x(0, 2, 3), _x(0, 2, 3)]))
    return cases


def concatenate():
    a, b, c = _x(0, 2, 3, 2), _x(1, 2, 3, 4), _x(2, 2, 3, 1)
    return [
        record("default", lambda: layers.Concatenate(), [a, b]),
        record("three", lambda: layers.Concatenate(), [a, b, c]),
        record("axis_1", lambda: layers.Concatenate(axis=1), [a, _x(1, 2, 1, 2)]),
        record("axis_minus_2", lambda: layers.Concatenate(axis=-2), [a, _x(1, 2, 4, 2)]),
        record("axis_0", lambda: layers.Concatenate(axis=0), [_x(0, 1, 3), _x(1, 2, 3)]),
        record("rank_2", lambda: layers.Concatenate(), [_x(0, 2, 1), _x(1, 2, 5)]),
        record("rank_4_channels", lambda: layers.Concatenate(axis=3), [_x(0, 1, 2, 2, 3), _x(1, 1, 2, 2, 2)]),
        record("masks_features", lambda: layers.Concatenate(), [a, b], mask=[MASK_A, MASK_B]),
        record("masks_time", lambda: layers.Concatenate(axis=1), [a, a + 1], mask=[MASK_A, MASK_B]),
        record("one_mask_time", lambda: layers.Concatenate(axis=1), [a, a + 1], mask=[None, MASK_B]),
    ]


FILES = {
    "add": lambda: _common(layers.Add),
    "subtract": lambda: _common(layers.Subtract, limit=2),
    "multiply": lambda: _common(layers.Multiply),
    "average": lambda: _common(layers.Average),
    "concatenate": concatenate,
}
