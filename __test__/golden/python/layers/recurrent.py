"""Cases for LSTM, GRU and Bidirectional."""

import numpy as np
from keras import layers

from layer_case import record
from samples import Sampler

# Right-padded, a hole in the middle, and nothing at all.
MASK = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [0, 0, 0, 0]], bool)
LEFT_MASK = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]], bool)


def _x(*shape):
    return Sampler("recurrent").normal(*shape)


def _states(count, *shape):
    return [Sampler(f"state {i}").normal(*shape, scale=0.5) for i in range(count)]


def _common(layer, states, shape=(3, 4, 2)):
    units = 3

    def case(name, *, call=None, data=None, **options):
        return record(name, lambda: layer(units, **options), _x(*shape) if data is None else data, **(call or {}))

    sequences = {"return_sequences": True}
    initial = {"initial_state": _states(states, shape[0], units)}
    return [
        case("default"),
        case("return_sequences", **sequences),
        case("return_state", return_state=True),
        case("return_sequences_and_state", return_state=True, **sequences),
        case("go_backwards", go_backwards=True),
        case("go_backwards_sequences", go_backwards=True, return_state=True, **sequences),
        case("initial_state", call=initial, return_state=True, **sequences),
        case("mask", call={"mask": MASK}),
        case("mask_sequences_state", call={"mask": MASK}, return_state=True, **sequences),
        case("mask_on_the_left", call={"mask": LEFT_MASK}, return_state=True, **sequences),
        case("mask_backwards", call={"mask": MASK}, go_backwards=True, return_state=True, **sequences),
        case("mask_initial_state", call={"mask": MASK, **initial}, return_state=True, **sequences),
        case("no_bias", use_bias=False),
        case("relu_cell", activation="relu", **sequences),
        case("hard_sigmoid_gates", recurrent_activation="hard_sigmoid", **sequences),
        case("sigmoid_tanh_swapped", activation="sigmoid", recurrent_activation="tanh"),
        case("linear_cell", activation="linear"),
        case("one_step", data=_x(2, 1, 2), **sequences),
        case("one_row_one_feature", data=_x(1, 5, 1), **sequences),
        case("unroll", unroll=True, **sequences),
    ]


def lstm():
    return _common(layers.LSTM, 2) + [
        record("no_unit_forget_bias", lambda: layers.LSTM(2, unit_forget_bias=False), _x(2, 3, 2)),
        record("one_unit", lambda: layers.LSTM(1, return_sequences=True), _x(2, 3, 2)),
        record("units_17", lambda: layers.LSTM(17, return_sequences=True), _x(2, 5, 9)),
        record("long_sequence", lambda: layers.LSTM(2), _x(1, 40, 1)),
    ]


def gru():
    cases = []
    for reset_after in (True, False):
        name = "reset_after" if reset_after else "reset_before"
        for case in _common(lambda units, **o: layers.GRU(units, reset_after=reset_after, **o), 1):
            case["name"] = f"{name}_{case['name']}"
            cases.append(case)
    return cases


def bidirectional():
    def case(name, *, call=None, merge_mode="concat", **options):
        make = lambda: layers.Bidirectional(layers.LSTM(2, **options), merge_mode=merge_mode)
        return record(name, make, _x(3, 4, 2), **(call or {}))

    sequences = {"return_sequences": True}
    return [
        case("default"),
        case("return_sequences", **sequences),
        case("return_state", return_state=True, **sequences),
        case("sum", merge_mode="sum", **sequences),
        case("mul", merge_mode="mul"),
        case("ave", merge_mode="ave", **sequences),
        case("none", merge_mode=None, **sequences),
        case("mask", call={"mask": MASK}),
        case("mask_sequences", call={"mask": MASK}, **sequences),
        case("initial_state", call={"initial_state": _states(4, 3, 2)}, **sequences),
    ]


FILES = {"lstm": lstm, "gru": gru, "bidirectional": bidirectional}
