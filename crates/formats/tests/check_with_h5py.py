"""Prints the tree of an HDF5 file, or of the weights in a `.keras` archive, as h5py sees it: one JSON document.

    python check_with_h5py.py FILE

Groups are `{"attributes": {...}}`, datasets also have `type`, `shape` and either `hex` (little-endian row-major bytes)
or `text`. Keys are paths without the leading slash, the root is "".
"""

import io
import json
import sys
import zipfile

import h5py
import numpy as np


def plain(value):
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return plain(value.item())
    return value


def attributes(item):
    return {name: plain(value) for name, value in item.attrs.items()}


def dataset(item):
    entry = {"attributes": attributes(item), "type": str(item.dtype), "shape": item.shape}
    if item.shape is None:
        entry["shape"] = "null"
    elif h5py.check_string_dtype(item.dtype):
        entry["text"] = plain(item[()])
    else:
        entry["hex"] = np.asarray(item[()], dtype=item.dtype).tobytes().hex()
    return entry


def tree(file):
    found = {}
    pending = [("", file)]
    while pending:
        path, item = pending.pop()
        if isinstance(item, h5py.Group):
            found[path] = {"attributes": attributes(item)}
            pending.extend((f"{path}/{key}".lstrip("/"), item[key]) for key in reversed(list(item.keys())))
        else:
            found[path] = dataset(item)
    return found


if __name__ == "__main__":
    source = sys.argv[1]
    if source.endswith(".keras"):
        with zipfile.ZipFile(source) as archive:
            source = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(source, "r") as opened:
        print(json.dumps(tree(opened), ensure_ascii=False, indent=1))
