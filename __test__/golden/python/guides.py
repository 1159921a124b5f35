"""guides.json: what Keras says about the guides' models: parameters, names, shapes, and behaviour of some rows."""

import keras
import numpy as np
from keras import layers, tree

import guide_behaviour
import guide_models as g
from encoding import write
from environment import fresh_session


def _shape(tensor):
    return list(tensor.shape)


def _shapes(value):
    flat = tree.flatten(value)
    if len(flat) == 1 and not isinstance(value, dict):
        return _shape(flat[0])
    return tree.map_structure(_shape, value) if isinstance(value, dict) else [_shape(t) for t in flat]


def _operations(model):
    own = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    rows = []
    for operation in model.operations:
        nodes = [n for n in operation._inbound_nodes if id(n) in own]
        rows.append(
            {
                "name": operation.name,
                "class_name": type(operation).__name__,
                "is_layer": isinstance(operation, layers.Layer),
                "output_shapes": [_shapes(n.output_tensors) for n in nodes],
                "inputs": [
                    [[t._keras_history.operation.name, t._keras_history.node_index, t._keras_history.tensor_index]
                     for t in n.input_tensors]
                    for n in nodes
                ],
                "count_params": operation.count_params() if isinstance(operation, layers.Layer) else 0,
            }
        )
    return rows


def describe(row, name, model):
    functional = model._functional if isinstance(model, keras.Sequential) else model
    return {
        "row": row,
        "name": name,
        "model_name": model.name,
        "class_name": type(model).__name__,
        "count_params": model.count_params(),
        "inputs": [{"name": t.name, "shape": _shape(t), "dtype": t.dtype} for t in model.inputs],
        "outputs": _shapes(functional._outputs_struct),
        "output_names": functional.output_names,
        "layer_names": [layer.name for layer in model.layers],
        "operations": _operations(functional),
        "weights": [{"path": w.path, "shape": list(w.shape), "trainable": w.trainable} for w in model.weights],
    }


TABLE = [
    (1, "single_dense", g.single_dense),
    (3, "single_dense_sequential", g.single_dense_sequential),
    (4, "mlp", g.mlp),
    (4, "mlp_sequential", g.mlp_sequential),
    (5, "ticket_priority", g.ticket_priority),
    (6, "class_and_box", g.class_and_box),
    (7, "siamese", g.siamese),
    (8, "siamese_cosine", g.siamese_cosine),
    (9, "residual", g.residual),
    (11, "add_ons", g.add_ons),
    (16, "mnist_mlp", g.mnist_mlp),
    (21, "encoder", lambda: g.one_graph_two_models()[0]),
    (21, "autoencoder", lambda: g.one_graph_two_models()[1]),
    (22, "nested_encoder", lambda: g.nested_autoencoder()[0]),
    (22, "nested_decoder", lambda: g.nested_autoencoder()[1]),
    (22, "nested_autoencoder", lambda: g.nested_autoencoder()[2]),
    (23, "ensemble", g.ensemble),
    (24, "tickets", g.tickets),
    (25, "toy_resnet", g.toy_resnet),
    (26, "shared_embedding", g.shared_embedding),
    (27, "vgg19", lambda: g.vgg19(True)),
    (27, "vgg19_no_top", lambda: g.vgg19(False)),
    (28, "custom_dense", g.custom_dense),
    (31, "feature_model", g.feature_model),
    (32, "mlp_clone", lambda: keras.models.clone_model(g.mlp())),
    (33, "functional_mlp", g.mlp_32_64_10),
]
# What section 5 of the surface map promises; a disagreement is a mistake in one of the two.
PROMISED = {
    "single_dense": 50_240, "mlp": 4_225, "mlp_sequential": 4_225, "ticket_priority": 652_561,
    "class_and_box": 825_806, "siamese": 1_378_945, "siamese_cosine": 1_329_408, "residual": 76_298,
    "mnist_mlp": 55_050, "encoder": 18_672, "autoencoder": 28_241, "nested_decoder": 9_569,
    "nested_autoencoder": 28_241, "ensemble": 387, "tickets": 1_392_097, "toy_resnet": 223_242,
    "shared_embedding": 128_000,
}


def _subclassed():
    fresh_session()
    model = g.SubclassedMlp()
    output = model(np.zeros((1, 32), np.float32))
    return {
        "row": 33,
        "name": "subclassed_mlp",
        "model_name": model.name,
        "class_name": "SubclassedMlp",
        "count_params": model.count_params(),
        "outputs": [None, *output.shape[1:]],
        "layer_names": [layer.name for layer in model.layers],
        "weights": [{"path": w.path, "shape": list(w.shape), "trainable": w.trainable} for w in model.weights],
    }


def make(out):
    models = []
    for row, name, build in TABLE:
        fresh_session()
        models.append(describe(row, name, build()))
        count = models[-1]["count_params"]
        if PROMISED.get(name, count) != count:
            raise ValueError(f"{name}: {count} parameters, promised {PROMISED[name]}")
    models.append(_subclassed())
    write(out / "guides.json", {"models": models, **guide_behaviour.collect()})
