"""Runs one layer in Keras and records configuration, inputs, outputs and gradients."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np

from encoding import named, tensor, tensors
from environment import fresh_session
from samples import Sampler, randomize


def _is_float(array):
    return np.issubdtype(np.asarray(array).dtype, np.floating)


def _attach(inputs, mask):
    """Puts masks where Keras itself keeps them: on the input tensors."""
    flat = inputs if isinstance(inputs, list) else [inputs]
    masks = mask if isinstance(inputs, list) else [mask]
    for x, m in zip(flat, masks or []):
        if m is not None:
            keras.src.backend.set_keras_mask(x, jnp.asarray(m))


def _is_random_state(variable):
    return "seed_generator" in variable.path


def record(name, make, inputs, *, training=None, mask=None, initial_state=None, gradients=True, prepare=None):
    """`make` builds the layer; `inputs` is an array or a list of arrays; `mask` has the same structure.

    `prepare(layer, sampler)` replaces the random weights when a case needs particular ones.
    """
    fresh_session()
    sampler = Sampler(name)
    layer = make()
    config = keras.saving.serialize_keras_object(layer)
    many = isinstance(inputs, list)
    arrays = [jnp.asarray(x) for x in (inputs if many else [inputs])]
    kwargs = {}
    if training is not None:
        kwargs["training"] = training
    if initial_state is not None:
        kwargs["initial_state"] = [jnp.asarray(s) for s in initial_state]

    def structure(flat):
        # A fresh array each time, so that a mask never stays on a tensor used elsewhere.
        flat = [x + 0 if not isinstance(x, jax.core.Tracer) else x for x in flat]
        return list(flat) if many else flat[0]

    layer(structure(arrays), **({**kwargs, "training": False} if training else kwargs))
    (prepare or (lambda l, s: randomize(s, l.weights)))(layer, sampler)
    case = {"name": name, "config": config, "inputs": tensors(inputs), "call": {}}
    for key, value in (("training", training), ("mask", tensors(mask)), ("initial_state", tensors(initial_state))):
        if value is not None:
            case["call"][key] = value
    case["weights"] = named(layer.weights)
    before = [np.array(v.value) for v in layer.non_trainable_variables]

    # Given by keyword too: beside `initial_state` Keras does not look for the mask on the tensor.
    if mask is not None and not many and "mask" in inspect.signature(layer.call).parameters:
        kwargs["mask"] = jnp.asarray(mask)
    x = structure(arrays)
    _attach(x, mask)
    outputs = layer(x, **kwargs)
    flat_outputs = [np.asarray(o) for o in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
    case["outputs"] = tensors(flat_outputs) if isinstance(outputs, (list, tuple)) else tensor(flat_outputs[0])
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    output_mask = keras.src.backend.get_keras_mask(first)
    if output_mask is not None:
        case["output_mask"] = tensor(np.asarray(output_mask))
    if training and any(not _is_random_state(v) for v in layer.non_trainable_variables):
        case["weights_after"] = named(v for v in layer.non_trainable_variables if not _is_random_state(v))
    if gradients:
        _record_gradients(case, layer, structure, arrays, mask, kwargs, before, flat_outputs, sampler)
    return case


def _record_gradients(case, layer, structure, arrays, mask, kwargs, non_trainable, expected, sampler):
    cotangents = [sampler.normal(*o.shape, digits=2) for o in expected]
    float_at = [i for i, x in enumerate(arrays) if _is_float(x)]

    def forward(trainable, floats):
        flat = list(arrays)
        for i, value in zip(float_at, floats):
            flat[i] = value
        x = structure(flat)
        _attach(x, mask)
        outputs, _ = layer.stateless_call(trainable, non_trainable, x, **kwargs)
        return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def scalar(trainable, floats):
        return sum(jnp.sum(o * c) for o, c in zip(forward(trainable, floats), cotangents))

    trainable = [v.value for v in layer.trainable_variables]
    floats = [arrays[i] for i in float_at]
    for got, want in zip(forward(trainable, floats), expected):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    weight_gradients, input_gradients = jax.grad(scalar, argnums=(0, 1))(trainable, floats)
    by_input = dict(zip(float_at, input_gradients))
    case["cotangents"] = tensors(cotangents)
    case["input_gradients"] = [tensors(by_input.get(i)) for i in range(len(arrays))]
    index = {id(v): i for i, v in enumerate(layer.weights)}
    case["weight_gradients"] = [
        {"index": index[id(v)], "tensor": tensor(np.asarray(g))}
        for v, g in zip(layer.trainable_variables, weight_gradients)
    ]
