"""Writes JSON with tensors whose numbers round-trip exactly, and reads it back."""

import json
import math

import numpy as np


class RawJson(str):
    """Text that is JSON already."""


def _float_text(value, kind):
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    # str() of a numpy scalar is the shortest decimal that gives the same value back in its own type.
    text = str(kind(value))
    return text[:-2] if text.endswith(".0") and text != "-0.0" else text


def tensor(value):
    """{"dtype", "shape", "data"}: data is flat and row-major; booleans are 0 and 1."""
    array = np.asarray(value)
    if array.dtype == np.int64:
        array = array.astype(np.int32)
    flat = array.reshape(-1)
    if array.dtype in (np.float32, np.float64):
        kind = array.dtype.type
        items = [_float_text(v, kind) for v in flat]
        back = np.array([float(t.strip('"')) for t in items], dtype=kind)
        if not np.array_equal(back, flat, equal_nan=True):
            raise ValueError("a number did not round-trip")
    elif array.dtype in (np.int32, np.uint32, np.uint8):
        items = [str(int(v)) for v in flat]
    elif array.dtype == np.bool_:
        items = ["1" if v else "0" for v in flat]
    else:
        raise TypeError(f"no encoding for dtype {array.dtype}")
    shape = ",".join(str(n) for n in array.shape)
    return RawJson(f'{{"dtype":"{array.dtype}","shape":[{shape}],"data":[{",".join(items)}]}}')


def tensors(value):
    """Encodes every array in a list, a tuple or a dict; None stays null."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [tensors(item) for item in value]
    return tensor(value)


def named(variables):
    """[{"path", "tensor"}] for Keras variables, in the order given."""
    return [{"path": v.path, "tensor": tensor(np.array(v.value))} for v in variables]


def dumps(value):
    if isinstance(value, RawJson):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(v) for v in value) + "]"
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return repr(value) if math.isfinite(value) else _float_text(value, float)
    if isinstance(value, np.integer):
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def write(path, value):
    """A list gets one line per item, a dict one line per key, so that differences are readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        text = _lines(value) + "\n"
    else:
        items = [f"{json.dumps(k)}:{_lines(v) if _is_table(v) else dumps(v)}" for k, v in value.items()]
        text = "{\n" + ",\n".join(items) + "\n}\n"
    json.loads(text, parse_constant=_refuse_constant)
    path.write_text(text, encoding="utf-8")


def _is_table(value):
    return isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict)


def _lines(values):
    return "[\n" + ",\n".join(dumps(v) for v in values) + "\n]"


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def decode(value):
    """The inverse of `tensors` on parsed JSON."""
    if isinstance(value, dict):
        if set(value) == {"dtype", "shape", "data"}:
            data = [float(v) if isinstance(v, str) else v for v in value["data"]]
            return np.array(data, dtype=value["dtype"]).reshape(value["shape"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value
