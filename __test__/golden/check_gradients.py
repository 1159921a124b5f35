"""Checks the golden values against float64: `python check_gradients.py [NAME ...]`, after generate.py.

Every layer and loss is rebuilt from its recorded configuration with 64-bit floats. Its output must agree with the
recorded one, and every recorded gradient g with central differences: <g, v> = (f(x + hv) - f(x - hv)) / 2h for random
directions v.
"""

import inspect
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "python"))

import environment  # noqa: E402, F401  (must come before keras and jax)
import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

from encoding import decode  # noqa: E402

from keras.src.backend.common import dtypes  # noqa: E402

keras.config.set_floatx("float64")
# Outside TensorFlow, Keras narrows float64 results; here that would only blur the differences.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
STEP = 1e-6
DIRECTIONS = 2
OUTPUT_TOLERANCE = 2e-5  # of the largest value: what 32-bit arithmetic may lose on these small sums
GRADIENT_TOLERANCE = 2e-4  # of sum |g v|
# Not differentiable there (ids are not either), or epsilons that mean something else in 64 bits.
SKIPPED = ("kinks", "ties", "large", "clipped", "float_ids")


def _wide(value):
    return value.astype(np.float64) if value.dtype == np.float32 else value


def _wide_config(config):
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float64"}}
        return {key: _wide_config(value) for key, value in config.items()}
    return [_wide_config(v) for v in config] if isinstance(config, list) else config


def _directional(name, function, point, gradients, generator):
    """`point` and `gradients` are lists of arrays; returns the worst error, relative to the tolerance's scale."""
    worst = 0.0
    for _ in range(DIRECTIONS):
        v = [generator.standard_normal(p.shape) for p in point]
        ahead = function([p + STEP * d for p, d in zip(point, v)])
        behind = function([p - STEP * d for p, d in zip(point, v)])
        measured = float(ahead - behind) / (2 * STEP)
        recorded = float(sum(np.sum(g * d) for g, d in zip(gradients, v)))
        scale = float(sum(np.sum(np.abs(g * d)) for g, d in zip(gradients, v))) + 1e-2
        error = abs(measured - recorded) / scale
        if not error <= GRADIENT_TOLERANCE:
            raise AssertionError(f"{name}: gradient {recorded:.8g}, central difference {measured:.8g}")
        worst = max(worst, error)
    return worst


def _check_outputs(name, got, want):
    for g, w in zip(got, want, strict=True):
        limit = OUTPUT_TOLERANCE * max(1e-3, float(np.max(np.abs(w), initial=0)))
        np.testing.assert_allclose(np.asarray(g), w, rtol=0, atol=limit, err_msg=name)


def _as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def check_layer(name, case):
    keras.utils.clear_session(free_memory=False)
    layer = keras.saving.deserialize_keras_object(_wide_config(case["config"]))
    case = decode(case)
    many = isinstance(case["inputs"], list)
    inputs = [_wide(x) for x in _as_list(case["inputs"])]
    call = dict(case["call"])
    mask = call.pop("mask", None)
    if "initial_state" in call:
        call["initial_state"] = [jnp.asarray(_wide(s)) for s in call["initial_state"]]
    if mask is not None and not many:
        call["mask"] = jnp.asarray(mask)
    build = {**call, "training": False} if call.get("training") else call
    # Dense and Activation take no mask; it only passes by.
    if "mask" not in inspect.signature(layer.call).parameters:
        call.pop("mask", None)
        build.pop("mask", None)
    structure = lambda flat: list(flat) if many else flat[0]
    layer(structure([jnp.asarray(x) for x in inputs]), **build)
    for variable, item in zip(layer.weights, case["weights"], strict=True):
        variable.assign(_wide(item["tensor"]))
    state = [v.value for v in layer.non_trainable_variables]
    floats = [i for i, x in enumerate(inputs) if x.dtype == np.float64]

    def outputs(point):
        flat = [jnp.asarray(x) + 0 for x in inputs]
        for i, value in zip(floats, point[: len(floats)]):
            flat[i] = value + 0
        if many and mask is not None:
            for x, m in zip(flat, mask):
                if m is not None:
                    keras.src.backend.set_keras_mask(x, jnp.asarray(m))
        result, _ = layer.stateless_call(point[len(floats) :], state, structure(flat), **call)
        return _as_list(result)

    point = [inputs[i] for i in floats] + [np.array(v.value) for v in layer.trainable_variables]
    _check_outputs(name, jax.jit(outputs)(point), _as_list(case["outputs"]))
    if "cotangents" not in case or not point:
        return 0.0
    gradients = [case["input_gradients"][i] for i in floats] + [g["tensor"] for g in case["weight_gradients"]]
    scalar = jax.jit(lambda p: sum(jnp.sum(o * c) for o, c in zip(outputs(p), case["cotangents"])))
    return _directional(name, scalar, point, gradients, np.random.default_rng(len(name)))


def check_loss(name, case):
    loss = keras.saving.deserialize_keras_object(case["config"])
    case = decode(case)
    weight = case.get("sample_weight")

    def value(prediction):
        prediction = prediction + 0
        if "mask" in case:
            keras.src.backend.set_keras_mask(prediction, jnp.asarray(case["mask"]))
        return loss(_wide(case["y_true"]), prediction, None if weight is None else _wide(weight))

    prediction = _wide(case["y_pred"])
    _check_outputs(name, [jax.jit(value)(prediction)], [case["result"]])
    scalar = jax.jit(lambda p: jnp.sum(value(p[0]) * case["cotangent"]))
    return _directional(name, scalar, [prediction], [case["gradient"]], np.random.default_rng(len(name)))


def main():
    sources = [(p, check_layer) for p in sorted((HERE / "layers").glob("*.json"))]
    sources += [(HERE / f, check_loss) for f in ("losses.json", "losses_later.json")]
    names = sys.argv[1:] or [path.stem for path, _ in sources]
    failures = 0
    for path, check in [s for s in sources if s[0].stem in names]:
        cases = json.loads(path.read_text(encoding="utf-8"))
        checked = [c for c in cases if not any(word in c["name"] for word in SKIPPED)]
        worst = 0.0
        for case in checked:
            try:
                worst = max(worst, check(f"{path.stem}/{case['name']}", case))
            except AssertionError as error:
                failures += 1
                print(f"FAIL  {path.stem}/{case['name']}: {' '.join(str(error).split())[:300]}")
        print(f"{path.stem}: {len(checked)} of {len(cases)} cases, worst gradient error {worst:.1e}", flush=True)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
