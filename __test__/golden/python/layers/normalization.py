"""Cases for BatchNormalization and LayerNormalization."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler

MASK = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]], bool)


def _x(*shape):
    return (Sampler("normalization").normal(*shape, scale=1.5) + np.float32(0.5)).round(3)


def batch_normalization():
    def case(name, shape, training, mask=None, **options):
        return record(
            name, lambda: layers.BatchNormalization(**options), _x(*shape), training=training, mask=mask
        )

    cases = []
    for training in (False, True):
        mode = "training" if training else "inference"
        cases += [
            case(f"rank_2_{mode}", (6, 3), training),
            case(f"rank_4_{mode}", (2, 3, 2, 3), training),
            case(f"rank_4_axis_1_{mode}", (2, 3, 2, 2), training, axis=1),
            case(f"no_center_{mode}", (5, 3), training, center=False),
            case(f"no_scale_{mode}", (5, 3), training, scale=False),
            case(f"no_center_no_scale_{mode}", (5, 3), training, center=False, scale=False),
            case(f"momentum_epsilon_{mode}", (5, 2), training, momentum=0.7, epsilon=0.1),
            case(f"rank_3_{mode}", (3, 4, 2), training),
            case(f"rank_3_mask_{mode}", (3, 4, 2), training, mask=MASK),
            case(f"frozen_{mode}", (4, 2), training, trainable=False),
        ]
    cases += [
        # The default epsilon would multiply rounding errors of x - mean by 32, in Keras too.
        case("one_row_training", (1, 3), True, epsilon=0.1),
        case("one_channel_training", (2, 3, 3, 1), True),
        case("channels_17_training", (3, 17), True),
        case("momentum_zero_training", (4, 2), True, momentum=0.0),
        case("all_steps_masked_training", (2, 3, 2), True, mask=np.zeros((2, 3), bool)),
    ]
    return cases


def layer_normalization():
    def case(name, shape, **options):
        return record(name, lambda: layers.LayerNormalization(**options), _x(*shape))

    return [
        case("rank_2", (3, 5)),
        case("rank_3", (2, 3, 4)),
        case("axis_list", (2, 3, 4), axis=[1, 2]),
        case("axis_1", (2, 3, 4), axis=1),
        case("no_center", (3, 4), center=False),
        case("no_scale", (3, 4), scale=False),
        case("small_epsilon", (3, 4), epsilon=1e-6),
        case("one_feature", (3, 1), epsilon=0.1),
    ]


FILES = {"batch_normalization": batch_normalization, "layer_normalization": layer_normalization}
