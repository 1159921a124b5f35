"""Cases for further layers: transposed convolution, padding, upsampling, steps, slopes, and the other ways to merge."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler

MASK = np.array([[1, 1, 1, 0], [0, 1, 0, 1]], bool)
OTHER_MASK = np.array([[1, 0, 1, 0], [0, 1, 1, 1]], bool)


def _x(*shape):
    return Sampler(f"more {shape}").normal(*shape)


def _distinct(*shape):
    return Sampler(f"more {shape}").distinct(*shape)


def conv2d_transpose():
    options = {
        "valid_3x3": {},
        "same_3x3": {"padding": "same"},
        "same_stride_2": {"padding": "same", "strides": 2},
        "valid_stride_2": {"strides": 2},
        "stride_beyond_kernel": {"kernel_size": 2, "strides": 3},
        "same_stride_beyond_kernel": {"kernel_size": 2, "strides": 3, "padding": "same"},
        "kernel_4_same_stride_2": {"kernel_size": 4, "strides": 2, "padding": "same"},
        "kernel_2x3_strides_differ": {"kernel_size": (2, 3), "strides": (2, 1), "padding": "same"},
        "dilation_2": {"dilation_rate": 2},
        "no_bias_relu": {"use_bias": False, "activation": "relu"},
    }
    return [
        record(name, lambda o=o: layers.Conv2DTranspose(4, **{"kernel_size": 3, **o}), _x(2, 3, 4, 3))
        for name, o in options.items()
    ]


def zero_padding2d():
    paddings = {"default": 1, "pair": (1, 2), "sides": ((0, 1), (2, 0)), "none": 0}
    return [record(name, lambda p=p: layers.ZeroPadding2D(p), _x(2, 3, 2, 2)) for name, p in paddings.items()]


def up_sampling2d():
    sizes = {"default": 2, "height": (3, 1), "width": (1, 2), "both": (2, 3)}
    return [record(name, lambda s=s: layers.UpSampling2D(s), _x(2, 3, 2, 2)) for name, s in sizes.items()]


def global_average_pooling1d():
    x = _x(2, 4, 3)
    return [
        record("default", lambda: layers.GlobalAveragePooling1D(), x),
        record("keepdims", lambda: layers.GlobalAveragePooling1D(keepdims=True), x),
        record("mask", lambda: layers.GlobalAveragePooling1D(), x, mask=MASK),
        record("mask_keepdims", lambda: layers.GlobalAveragePooling1D(keepdims=True), x, mask=MASK),
    ]


def global_max_pooling1d():
    x = _distinct(2, 4, 3)
    return [
        record("default", lambda: layers.GlobalMaxPooling1D(), x),
        record("keepdims", lambda: layers.GlobalMaxPooling1D(keepdims=True), x),
    ]


def masking():
    x = _x(2, 4, 3)
    x[0, 1:] = 0
    x[1, 2] = 5
    return [
        record("default", lambda: layers.Masking(), x),
        record("value", lambda: layers.Masking(mask_value=5.0), x),
    ]


def permute():
    return [
        record("rank_3", lambda: layers.Permute((2, 1)), _x(2, 3, 4)),
        record("rank_4", lambda: layers.Permute((3, 1, 2)), _x(2, 3, 4, 2)),
    ]


def repeat_vector():
    return [record("three", lambda: layers.RepeatVector(3), _x(2, 4)), record("one", lambda: layers.RepeatVector(1), _x(1, 1))]


def rescaling():
    return [
        record("scale", lambda: layers.Rescaling(1 / 255.0), Sampler("pixels").integers(0, 256, 2, 3, 3, 1)),
        record("scale_and_offset", lambda: layers.Rescaling(2.0, offset=-1.0), _x(2, 4)),
        record("lists", lambda: layers.Rescaling([2.0, 0.5, -1.0], offset=[0.0, 1.0, 2.0]), _x(2, 4, 3)),
    ]


def identity():
    return [record("one", lambda: layers.Identity(), _x(2, 3))]


def p_re_lu():
    return [
        record("rank_2", lambda: layers.PReLU(), _x(3, 5)),
        record("rank_4_shared", lambda: layers.PReLU(shared_axes=[1, 2]), _x(2, 3, 2, 4)),
    ]


def _extremes(layer):
    a, b = _distinct(2, 4, 3), _distinct(2, 4, 3)[:, ::-1] * np.float32(0.9)
    return [
        record("two", lambda: layer(), [a, b]),
        record("three", lambda: layer(), [a, b, _x(2, 4, 3)]),
        record("ranks_differ", lambda: layer(), [a, _x(2, 3)]),
        record("masks", lambda: layer(), [a, b], mask=[MASK, OTHER_MASK]),
        record("one_mask", lambda: layer(), [a, b], mask=[None, MASK]),
        record("ties", lambda: layer(), [a, a + 0]),
    ]


def dot():
    return [
        record("vectors", lambda: layers.Dot(1), [_x(3, 4), _x(3, 4) + 1]),
        record("cosine", lambda: layers.Dot(1, normalize=True), [_x(3, 4), _x(3, 4) + 1]),
        record("matrices_last_axes", lambda: layers.Dot(2), [_x(2, 3, 4), _x(2, 5, 4)]),
        record("matrices_first_axes", lambda: layers.Dot(1), [_x(2, 3, 4), _x(2, 3, 5)]),
        record("matrices_axes_differ", lambda: layers.Dot((2, 1)), [_x(2, 3, 4), _x(2, 4, 5)]),
        record("matrices_cosine", lambda: layers.Dot(-1, normalize=True), [_x(2, 3, 4), _x(2, 5, 4)]),
        record("matrix_and_vector", lambda: layers.Dot((2, 1)), [_x(2, 3, 4), _x(2, 4)]),
        record("vector_and_matrix", lambda: layers.Dot((1, 1)), [_x(2, 4), _x(2, 4, 3)]),
    ]


FILES = {
    "conv2d_transpose": conv2d_transpose, "zero_padding2d": zero_padding2d, "up_sampling2d": up_sampling2d,
    "global_average_pooling1d": global_average_pooling1d, "global_max_pooling1d": global_max_pooling1d,
    "masking": masking, "permute": permute, "repeat_vector": repeat_vector, "rescaling": rescaling,
    "identity": identity, "p_re_lu": p_re_lu, "maximum": lambda: _extremes(layers.Maximum),
    "minimum": lambda: _extremes(layers.Minimum), "dot": dot,
}
