"""Asks real Keras whether the two sides understand each other's .keras files. Makes no golden file.

    python check_with_keras.py load DIR            every NAME.keras in DIR that has a NAME.json beside it
    python check_with_keras.py write DIR [--seed N]  fresh files written by Keras, for the other side to load

NAME.json holds {"x", "y"[, "resume"]}. `x` is the input (a tensor, a list, or a dict by input name) and `y` the
prediction in the structure of the model's outputs. `resume` holds {"x", "y", "batch_size", "steps", "history",
"final_weights"[, "sample_weight"]}: training goes on from the loaded optimizer state, unshuffled, for one epoch of
`steps` batches; `final_weights` is [{"path", "tensor"}] in the order of model.weights, and `history` is
{name: [value]}. Both may be left out.
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

import environment  # noqa: E402, F401  (must come before keras and jax)
import keras  # noqa: E402
import numpy as np  # noqa: E402

from encoding import decode  # noqa: E402
from keras_files import save  # noqa: E402
from saved_models import MODELS  # noqa: E402

PREDICTION_TOLERANCE = 1e-5  # times the root mean square of the expected output
WEIGHT_TOLERANCE = 1e-4
HISTORY_TOLERANCE = 1e-4


class Difference(Exception):
    pass


def _compare(where, got, want, tolerance, relative_to_rms):
    """The largest difference, in units of the tolerance's scale. NaN equals NaN, infinity equals infinity."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        raise Difference(f"{where}: shape {list(got.shape)} in Keras, {list(want.shape)} expected")
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    if same.all():
        return 0.0
    with np.errstate(invalid="ignore"):
        error = float(np.max(np.where(same, 0.0, np.abs(got - want))))
    finite = want[np.isfinite(want)]
    scale = float(np.sqrt(np.mean(finite**2))) if relative_to_rms and finite.size else 1.0
    if not error <= tolerance * scale:
        raise Difference(f"{where}: differs by {error:.3g}, allowed {tolerance * scale:.3g}")
    return error / scale


def _flat(structure, prefix=""):
    if isinstance(structure, dict):
        return [pair for key in sorted(structure) for pair in _flat(structure[key], f"{prefix}.{key}")]
    if isinstance(structure, (list, tuple)):
        return [pair for i, item in enumerate(structure) for pair in _flat(item, f"{prefix}[{i}]")]
    return [(prefix, structure)]


def _compare_structures(where, got, want, tolerance):
    got, want = _flat(got), _flat(want)
    if [p for p, _ in got] != [p for p, _ in want]:
        raise Difference(f"{where}: structure {[p for p, _ in got]} in Keras, {[p for p, _ in want]} expected")
    return max((_compare(where + path, g, w, tolerance, True) for (path, g), (_, w) in zip(got, want)), default=0.0)


def _resume(model, resume):
    if not model.compiled:
        raise Difference("resume: the loaded model is not compiled")
    weights = resume.get("sample_weight")
    history = model.fit(
        resume["x"],
        resume["y"],
        batch_size=resume["batch_size"],
        epochs=1,
        shuffle=False,
        verbose=0,
        **({} if weights is None else {"sample_weight": weights}),
    )
    # Accumulated gradients and callbacks may end an epoch elsewhere: the batches seen are what must agree.
    if history.params["steps"] != resume["steps"]:
        raise Difference(f"resume: {history.params['steps']} steps in Keras, {resume['steps']} expected")
    worst = 0.0
    expected = resume.get("final_weights", [])
    if expected and len(expected) != len(model.weights):
        raise Difference(f"resume: {len(model.weights)} weights in Keras, {len(expected)} expected")
    for variable, item in zip(model.weights, expected):
        error = _compare(f"weight {variable.path}", variable.value, item["tensor"], WEIGHT_TOLERANCE, False)
        worst = max(worst, error)
    for key, want in resume.get("history", {}).items():
        if key not in history.history:
            raise Difference(f"history: no {key} in Keras, which has {sorted(history.history)}")
        got = history.history[key]
        scale = max(1.0, float(np.max(np.abs(np.asarray(want, np.float64)))))
        _compare(f"history {key}", got, want, HISTORY_TOLERANCE * scale, False)
    return worst


def check(path):
    """One line of praise; Difference says what is wrong."""
    record = decode(json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
    model = keras.saving.load_model(path)
    error = _compare_structures("prediction", model.predict(record["x"], verbose=0), record["y"], PREDICTION_TOLERANCE)
    line = f"prediction within {error:.1e} of RMS"
    if "resume" in record:
        line += f", weights after training on within {_resume(model, record['resume']):.1e}"
    return line


def load(directory):
    pairs = [p for p in sorted(directory.glob("*.keras")) if p.with_suffix(".json").exists()]
    failed = 0
    for path in pairs:
        try:
            print(f"ok    {path.name}: {check(path)}")
        except Exception as error:  # noqa: BLE001  (one bad file must not hide the others)
            failed += 1
            text = str(error).strip().splitlines()
            print(f"FAIL  {path.name}: {type(error).__name__}: {' '.join(text)[:600]}")
    print(f"{len(pairs) - failed} passed, {failed} failed")
    if not pairs:
        print(f"no pairs of NAME.keras and NAME.json in {os.fspath(directory)}")
    return 0 if pairs and not failed else 1


def write(directory, seed):
    for name in MODELS:
        save(name, directory, seed)
        print(f"wrote {name}.keras and {name}.json")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("load").add_argument("directory", type=Path)
    writer = commands.add_parser("write")
    writer.add_argument("directory", type=Path)
    writer.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    return load(options.directory) if options.command == "load" else write(options.directory, options.seed)


if __name__ == "__main__":
    sys.exit(main())
