""".keras and .weights.h5 files written by Keras, with what the reader must get out of them."""

import json

import jax
import keras

from encoding import named, tensors, write
from environment import fresh_session
from reproducible_saving import reproducible_saving
from samples import randomize
from saved_models import MODELS, sampler

BATCH = 4
STEPS_BEFORE = 3
STEPS_AFTER = 2


def _rows(data, rows):
    return jax.tree.map(lambda a: a[rows], data)


def _fit(model, x, y):
    return model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history


def save(name, directory, seed):
    """Writes NAME.keras and NAME.json: x, y (prediction), weights, and for a compiled model `resume`."""
    fresh_session(seed)
    s = sampler(name, seed)
    model, x, y = MODELS[name](s)
    randomize(s, model.weights)
    if model.compiled:
        rows = slice(0, STEPS_BEFORE * BATCH)
        _fit(model, _rows(x, rows), _rows(y, rows))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.keras"
    with reproducible_saving():
        model.save(path)
    loaded = keras.saving.load_model(path)
    few = _rows(x, slice(0, 5))
    record = {
        "x": tensors(few),
        "y": tensors(loaded.predict(few, verbose=0)),
        "count_params": loaded.count_params(),
        "weights": named(loaded.weights),
    }
    if loaded.compiled:
        record["optimizer_variables"] = named(loaded.optimizer.variables)
        rows = slice(2, 2 + STEPS_AFTER * BATCH)
        x_after, y_after = _rows(x, rows), _rows(y, rows)
        history = _fit(loaded, x_after, y_after)
        record["resume"] = {
            "x": tensors(x_after),
            "y": tensors(y_after),
            "batch_size": BATCH,
            "steps": STEPS_AFTER,
            "history": history,
            "final_weights": named(loaded.weights),
            "iterations": int(loaded.optimizer.iterations),
        }
    write(directory / f"{name}.json", record)


def save_weights_only(directory, seed):
    """A .weights.h5 with optimizer state, and one of an uncompiled model."""
    for name in ("nested_by_name", "uncompiled"):
        fresh_session(seed)
        s = sampler(name, seed)
        model, x, y = MODELS[name](s)
        randomize(s, model.weights)
        record = {"model": json.loads(model.to_json())}
        if model.compiled:
            _fit(model, x, y)
        model.save_weights(directory / f"{name}.weights.h5")
        few = _rows(x, slice(0, 4))
        record.update(x=tensors(few), y=tensors(model.predict(few, verbose=0)), weights=named(model.weights))
        write(directory / f"{name}.weights.json", record)


def make(out):
    directory = out / "keras-files"
    for name in MODELS:
        save(name, directory, seed=0)
    save_weights_only(directory, seed=0)
    large = [p.name for p in directory.iterdir() if p.stat().st_size > 60_000]
    if large:
        raise ValueError(f"files beyond 60 KB: {large}")
