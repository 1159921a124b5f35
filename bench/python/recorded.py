"""Reads a network that the harness has recorded: its steps, weights and data, see `python.js` beside this folder."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def read(folder):
    """The network in `folder`, with arrays in place of their positions in `numbers.bin`."""
    folder = Path(folder)
    numbers = np.fromfile(folder / "numbers.bin", dtype=np.uint8)
    network = json.loads((folder / "network.json").read_text())
    for step in network["steps"]:
        step["weights"] = [_array(numbers, weight) for weight in step["weights"]]
    for case in network["cases"]:
        case["data"] = [_array(numbers, part) for part in case["data"]]
        case["targets"] = [_array(numbers, part) for part in case["targets"]]
    return SimpleNamespace(**network, onnx=str(folder / "network.onnx"))


def _array(numbers, part):
    count = int(np.prod(part["shape"]))
    return numbers[part["at"] : part["at"] + 4 * count].view(part["dtype"]).reshape(part["shape"]).copy()
