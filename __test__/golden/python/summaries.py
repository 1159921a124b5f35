"""summary/NAME.txt: model.summary() as plain text, and NAME.json: model.to_json() with stable shared_object_id."""

import json
import os

import keras
import numpy as np
from keras import layers

import guide_models as g
from encoding import write
from environment import fresh_session
from reproducible_saving import reproducible_saving


def _trained():
    model = g.mlp()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((2, 32), np.float32), np.zeros((2, 1), np.float32), verbose=0)
    return model


def _partly_frozen():
    x = keras.Input((6, 6, 1), name="image")
    h = layers.Conv2D(3, 3, trainable=False, name="frozen_conv")(x)
    h = layers.BatchNormalization(name="norm")(h)
    h = layers.Flatten(name="flat")(h)
    return keras.Model(x, layers.Dense(2, name="out")(h), name="partly_frozen")


def _unbuilt():
    return keras.Sequential([layers.Dense(4), layers.Dense(2)], name="unbuilt")


def _long_names():
    x = keras.Input((4,), name="an_input_whose_name_is_long")
    h = layers.Dense(3, name="a_dense_layer_with_quite_a_long_name_that_must_wrap")(x)
    return keras.Model(x, layers.Dense(1, name="b")(h), name="long_names")


def _operators():
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    return keras.Model([x, y], x * 2.0 + y, name="operators")


# name: (model, options of summary(), columns of the terminal)
CASES = {
    "mnist_mlp": (g.mnist_mlp, {}, 80),
    "tickets": (g.tickets, {}, 80),
    "residual": (g.residual, {}, 80),
    "nested_autoencoder": (lambda: g.nested_autoencoder()[2], {}, 80),
    "nested_autoencoder_expanded": (lambda: g.nested_autoencoder()[2], {"expand_nested": True}, 80),
    "trained": (_trained, {}, 80),
    "sequential": (g.mlp_sequential, {}, 80),
    "unbuilt": (_unbuilt, {}, 80),
    "show_trainable": (_partly_frozen, {"show_trainable": True}, 80),
    "long_names": (_long_names, {}, 80),
    "operators": (_operators, {}, 80),
    "shared_embedding": (g.shared_embedding, {}, 80),
    "mnist_mlp_wide": (g.mnist_mlp, {}, 120),
    "tickets_wide": (g.tickets, {}, 120),
    "nested_autoencoder_expanded_trainable_wide": (
        lambda: g.nested_autoencoder()[2], {"expand_nested": True, "show_trainable": True}, 160,
    ),
    "line_length_60": (g.mnist_mlp, {"line_length": 60}, 80),
}


def make(out):
    directory = out / "summary"
    directory.mkdir(parents=True, exist_ok=True)
    for name, (build, options, columns) in CASES.items():
        fresh_session()
        model = build()
        parts = []
        os.environ["COLUMNS"] = str(columns)
        try:
            model.summary(print_fn=lambda text, **_: parts.append(text), **options)
        finally:
            os.environ["COLUMNS"] = "80"
        text = "".join(parts)
        if "\x1b" in text or not text.endswith("\n"):
            raise ValueError(f"{name}: expected plain text that ends with a line feed")
        (directory / f"{name}.txt").write_text(text, encoding="utf-8")
        with reproducible_saving():
            write(directory / f"{name}.json", {
                "options": options, "columns": columns, "model": json.loads(model.to_json()),
            })
