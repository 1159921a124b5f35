"""Cases for convolution and pooling."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler


def _x(name, *shape):
    return Sampler(f"image {name}").normal(*shape)


def conv2d():
    def case(name, shape, *args, **options):
        return record(name, lambda: layers.Conv2D(*args, **options), _x(name, *shape))

    return [
        case("valid_3x3", (2, 6, 5, 3), 4, 3),
        case("same_3x3", (2, 5, 6, 3), 4, 3, padding="same"),
        case("same_stride_2_odd", (1, 7, 5, 3), 2, 3, strides=2, padding="same"),
        case("same_stride_2_even", (1, 6, 8, 1), 3, 3, strides=2, padding="same"),
        case("same_stride_2_kernel_2", (1, 5, 5, 2), 3, 2, strides=2, padding="same"),
        case("valid_stride_2_leftover", (2, 6, 7, 1), 2, 3, strides=2),
        case("valid_strides_differ", (1, 8, 7, 2), 3, (3, 2), strides=(2, 1)),
        case("same_strides_differ", (1, 7, 8, 2), 3, (2, 5), strides=(3, 2), padding="same"),
        case("stride_beyond_kernel", (1, 8, 8, 2), 2, 2, strides=3),
        case("same_stride_beyond_kernel", (1, 8, 7, 2), 2, 1, strides=3, padding="same"),
        case("kernel_1x1", (2, 3, 3, 5), 4, 1),
        case("kernel_1x1_stride_2", (1, 5, 4, 3), 4, 1, strides=2),
        case("kernel_3x1", (1, 5, 4, 3), 2, (3, 1), padding="same"),
        case("kernel_1x4_same", (1, 3, 6, 2), 2, (1, 4), padding="same"),
        case("kernel_5x5_same", (1, 6, 6, 1), 3, 5, padding="same"),
        case("kernel_is_the_image", (2, 4, 3, 2), 3, (4, 3)),
        case("same_kernel_beyond_image", (1, 2, 3, 2), 2, 5, padding="same"),
        case("image_1x1_same", (2, 1, 1, 3), 2, 3, padding="same"),
        case("dilation_2_valid", (1, 7, 8, 2), 3, 3, dilation_rate=2),
        case("dilation_2_same", (1, 5, 6, 3), 2, 3, dilation_rate=2, padding="same"),
        case("dilation_differs_same", (1, 6, 7, 2), 2, (3, 2), dilation_rate=(1, 3), padding="same"),
        case("groups_2", (1, 5, 5, 4), 6, 3, groups=2),
        case("groups_2_same_stride_2", (1, 5, 6, 4), 4, 3, groups=2, strides=2, padding="same"),
        case("groups_are_channels", (1, 4, 4, 3), 6, 3, groups=3, padding="same"),
        case("no_bias", (1, 4, 5, 3), 2, 3, use_bias=False),
        case("relu", (1, 5, 5, 3), 5, 3, activation="relu"),
        case("sigmoid_no_bias_same", (1, 4, 4, 1), 5, 3, activation="sigmoid", use_bias=False, padding="same"),
        case("softmax_over_channels", (1, 3, 3, 2), 4, 2, activation="softmax"),
        case("channels_5_filters_1", (2, 4, 4, 5), 1, 3),
        # Enough channels and a ragged last tile for a Winograd F(4x4,3x3) kernel, were one chosen.
        case("channels_16_same_ragged_tiles", (1, 9, 7, 16), 16, 3, padding="same"),
        case("channels_17_filters_9_valid", (1, 6, 7, 17), 9, 3, activation="relu"),
        # Enough channels for Winograd's method, forward and in both gradients.
        case("same_32_channels_relu", (1, 9, 10, 32), 32, 3, padding="same", activation="relu"),
        case("valid_35_channels", (2, 7, 8, 35), 38, 3),
    ]


def depthwise_conv2d():
    def case(name, shape, *args, **options):
        return record(name, lambda: layers.DepthwiseConv2D(*args, **options), _x(name, *shape))

    return [
        case("valid_3x3", (1, 5, 5, 3), 3),
        case("same_3x3", (2, 4, 5, 3), 3, padding="same"),
        case("same_stride_2", (1, 5, 6, 2), 3, strides=2, padding="same"),
        case("multiplier_2", (1, 4, 4, 3), 3, depth_multiplier=2),
        case("dilation_2_same", (1, 6, 5, 2), 3, dilation_rate=2, padding="same"),
        case("no_bias_relu", (1, 4, 4, 1), 2, use_bias=False, activation="relu"),
        case("kernel_1x3", (1, 4, 5, 2), (1, 3), padding="same"),
    ]


def separable_conv2d():
    def case(name, shape, *args, **options):
        return record(name, lambda: layers.SeparableConv2D(*args, **options), _x(name, *shape))

    return [
        case("valid_3x3", (1, 5, 5, 3), 4, 3),
        case("same_stride_2", (1, 5, 6, 2), 3, 3, strides=2, padding="same"),
        case("multiplier_2_relu", (1, 4, 4, 3), 2, 3, depth_multiplier=2, activation="relu"),
        case("dilation_2_same_no_bias", (1, 5, 5, 2), 3, 3, dilation_rate=2, padding="same", use_bias=False),
    ]


POOLS = {
    "pool_2": ((2, 4, 6, 3), (2,), {}),
    "odd_leftover": ((1, 5, 7, 2), (2,), {}),
    "same_odd": ((1, 5, 7, 2), (2,), {"padding": "same"}),
    "pool_3_stride_2_same": ((1, 6, 7, 2), (3,), {"strides": 2, "padding": "same"}),
    "pool_3_stride_2_valid": ((1, 7, 6, 2), (3,), {"strides": 2}),
    "pool_3_stride_1_same": ((1, 4, 4, 1), (3,), {"strides": 1, "padding": "same"}),
    "pool_2x3": ((1, 5, 6, 2), ((2, 3),), {}),
    "strides_differ_same": ((1, 6, 7, 1), ((3, 2),), {"strides": (2, 3), "padding": "same"}),
    "stride_beyond_pool": ((1, 8, 8, 1), (2,), {"strides": 3}),
    "pool_1": ((1, 3, 3, 2), (1,), {}),
    "pool_is_the_image": ((2, 3, 4, 2), ((3, 4),), {}),
    "image_1x1_same": ((2, 1, 1, 2), (2,), {"padding": "same"}),
    "pool_beyond_image_same": ((1, 2, 3, 2), (5,), {"strides": 1, "padding": "same"}),
    "channels_17": ((1, 4, 4, 17), (2,), {}),
}


def _pooling(layer):
    return [
        record(name, lambda a=args, o=options: layer(*a, **o), Sampler(f"pool {name}").distinct(*shape))
        for name, (shape, args, options) in POOLS.items()
    ]


def max_pooling2d():
    ties = np.array([[1, 1, 2, 2], [1, 1, 0, 2], [-3, -3, 5, 4], [-3, -3, 4, 5]], np.float32).reshape(1, 4, 4, 1)
    negative = -np.abs(Sampler("negative pool").distinct(1, 3, 3, 2))
    return _pooling(layers.MaxPooling2D) + [
        record("ties", lambda: layers.MaxPooling2D(), ties),
        record("ties_overlapping", lambda: layers.MaxPooling2D(3, strides=1), ties),
        record("all_negative_same", lambda: layers.MaxPooling2D(2, padding="same"), negative),
    ]


def average_pooling2d():
    return _pooling(layers.AveragePooling2D)


def _global(layer):
    def x(*shape):
        return Sampler("global pool").distinct(*shape)

    return [
        record("default", lambda: layer(), x(2, 3, 4, 3)),
        record("keepdims", lambda: layer(keepdims=True), x(2, 3, 3, 2)),
        record("image_1x1", lambda: layer(), x(2, 1, 1, 3)),
        record("one_channel", lambda: layer(), x(1, 5, 3, 1)),
        record("channels_19", lambda: layer(keepdims=True), x(1, 3, 2, 19)),
    ]


def global_average_pooling2d():
    return _global(layers.GlobalAveragePooling2D)


def global_max_pooling2d():
    ties = np.array([[1, 3], [3, 2]], np.float32).reshape(1, 2, 2, 1)
    return _global(layers.GlobalMaxPooling2D) + [record("ties", lambda: layers.GlobalMaxPooling2D(), ties)]


FILES = {
    "conv2d": conv2d, "depthwise_conv2d": depthwise_conv2d, "separable_conv2d": separable_conv2d,
    "max_pooling2d": max_pooling2d, "average_pooling2d": average_pooling2d,
    "global_average_pooling2d": global_average_pooling2d, "global_max_pooling2d": global_max_pooling2d,
}
