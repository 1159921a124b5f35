"""Losses: value and gradient with respect to the prediction."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import losses

from encoding import tensor, write
from environment import fresh_session
from samples import Sampler

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "none", "mean_with_sample_weight")


def _case(name, make, y_true, y_pred, sample_weight=None, mask=None):
    fresh_session()
    loss = make()

    def value(prediction):
        if mask is not None:
            prediction = prediction + 0
            keras.src.backend.set_keras_mask(prediction, jnp.asarray(mask))
        return loss(y_true, prediction, sample_weight)

    prediction = jnp.asarray(y_pred)
    result = np.asarray(value(prediction))
    cotangent = Sampler(name).normal(*result.shape, digits=2) if result.ndim else np.float32(1)
    gradient = jax.grad(lambda p: jnp.sum(value(p) * cotangent))(prediction)
    return {
        "name": name,
        "config": keras.saving.serialize_keras_object(loss),
        "y_true": tensor(y_true),
        "y_pred": tensor(y_pred),
        **({} if sample_weight is None else {"sample_weight": tensor(sample_weight)}),
        **({} if mask is None else {"mask": tensor(mask)}),
        "result": tensor(result),
        "cotangent": tensor(cotangent),
        "gradient": tensor(np.asarray(gradient)),
    }


def _both_ways(prefix, make, y_true, y_pred, weights, mask):
    """Every reduction, with and without sample weights of each rank, and masks."""
    cases = []
    for reduction in REDUCTIONS:
        build = lambda r=reduction: make(reduction=r)
        cases.append(_case(f"{prefix}_{reduction}", build, y_true, y_pred))
        for label, weight in weights.items():
            cases.append(_case(f"{prefix}_{reduction}_weight_{label}", build, y_true, y_pred, weight))
        if mask is not None:
            cases.append(_case(f"{prefix}_{reduction}_mask", build, y_true, y_pred, mask=mask))
            weight = next(iter(weights.values()))
            cases.append(_case(f"{prefix}_{reduction}_mask_weight", build, y_true, y_pred, weight, mask))
    return cases


def _elementwise(prefix, make):
    s = Sampler("elementwise losses")
    true, pred = s.normal(3, 2), s.normal(3, 2)
    column_true, column_pred = s.normal(4, 1), s.normal(4, 1)
    time_true, time_pred = s.normal(2, 3, 2), s.normal(2, 3, 2)
    per_row = np.array([0.5, 0, 2], np.float32)
    step_mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    per_step = s.uniform(0, 2, 2, 3, digits=1)
    cases = _both_ways(
        f"{prefix}_rank_2", make, true, pred, {"row": per_row, "column": per_row[:, None]}, np.array([1, 0, 1], bool)
    )
    cases += _both_ways(f"{prefix}_rank_3", make, time_true, time_pred, {"step": per_step}, step_mask)
    cases += [
        _case(f"{prefix}_column", make, column_true, column_pred),
        _case(f"{prefix}_rank_1_target", make, column_true[:, 0], column_pred),
        _case(f"{prefix}_rank_1_prediction", make, column_true, column_pred[:, 0]),
        _case(f"{prefix}_rank_1_both", make, column_true[:, 0], column_pred[:, 0]),
        _case(f"{prefix}_integer_target", make, np.array([[1], [0], [3]], np.int32), pred[:, :1]),
        _case(f"{prefix}_at_kinks", make, true, true),
        _case(f"{prefix}_all_masked", make, time_true, time_pred, mask=np.zeros((2, 3), bool)),
        _case(f"{prefix}_weights_zero", make, true, pred, np.zeros(3, np.float32)),
    ]
    return cases


def _binary():
    make = losses.BinaryCrossentropy
    s = Sampler("binary crossentropy")
    true = s.integers(0, 2, 3, 2).astype(np.float32)
    probabilities, logits = s.uniform(0.05, 0.95, 3, 2), s.normal(3, 2, scale=2)
    edge = np.array([[0.0, 1.0, 0.0, 1.0, 1e-8, 0.99999994]], np.float32)
    edge_true = np.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]], np.float32)
    weight = np.array([0.5, 0, 2], np.float32)
    cases = _both_ways("bce", make, true, probabilities, {"row": weight}, np.array([1, 0, 1], bool))
    logit = lambda **o: make(from_logits=True, **o)
    cases += _both_ways("bce_logits", logit, true, logits, {"row": weight}, None)
    cases += [
        _case("bce_smoothing", lambda: make(label_smoothing=0.2), true, probabilities),
        _case("bce_logits_smoothing", lambda: make(from_logits=True, label_smoothing=0.1), true, logits, weight),
        _case("bce_axis_0", lambda: make(axis=0), true, probabilities),
        _case("bce_column", make, true[:, :1], probabilities[:, :1]),
        _case("bce_rank_1_target", make, true[:, 0], probabilities[:, :1]),
        _case("bce_integer_target", make, true.astype(np.int32), probabilities),
        _case("bce_soft_target", make, s.uniform(0, 1, 3, 2), probabilities),
        _case("bce_clipped", make, edge_true, edge),
        _case("bce_logits_large", lambda: make(from_logits=True), edge_true[:, :4],
              np.array([[-200, 200, -200, 200]], np.float32)),
        _case("bce_rank_3", make, s.integers(0, 2, 2, 3, 1).astype(np.float32), s.uniform(0.1, 0.9, 2, 3, 1),
              s.uniform(0, 2, 2, 3, digits=1)),
    ]
    return cases


def _categorical():
    make, sparse = losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy
    s = Sampler("categorical crossentropy")
    ids = np.array([2, 0, 3], np.int32)
    one_hot = np.eye(4, dtype=np.float32)[ids]
    probabilities, logits = s.probabilities(3, 4), s.normal(3, 4, scale=2)
    unnormalized = s.uniform(0.1, 2, 3, 4)
    certain = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0]], np.float32)
    weight = np.array([0.5, 0, 2], np.float32)
    mask = np.array([1, 0, 1], bool)
    step_ids = np.array([[0, 3, 1], [2, 2, 0]], np.int32)
    steps, step_logits = s.probabilities(2, 3, 4), s.normal(2, 3, 4)
    step_mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    step_weight = s.uniform(0, 2, 2, 3, digits=1)
    cases = []
    for prefix, kind, target, step_target in (
        ("cce", make, one_hot, np.eye(4, dtype=np.float32)[step_ids]),
        ("scce", sparse, ids, step_ids),
    ):
        logit = lambda kind=kind, **o: kind(from_logits=True, **o)
        weights = {"row": weight} if kind is sparse else {"row": weight, "column": weight[:, None]}
        cases += _both_ways(prefix, kind, target, probabilities, weights, mask)
        cases += _both_ways(f"{prefix}_logits", logit, target, logits, {"row": weight}, None)
        cases += [
            _case(f"{prefix}_unnormalized", kind, target, unnormalized),
            _case(f"{prefix}_clipped", kind, target, certain),
            _case(f"{prefix}_logits_large", logit, target, logits * np.float32(100)),
            _case(f"{prefix}_rank_3", kind, step_target, steps, step_weight, step_mask),
            _case(f"{prefix}_logits_rank_3", logit, step_target, step_logits, step_weight),
        ]
    cases += [
        _case("cce_smoothing", lambda: make(label_smoothing=0.1), one_hot, probabilities),
        _case("cce_logits_smoothing", lambda: make(from_logits=True, label_smoothing=0.2), one_hot, logits, weight),
        _case("cce_axis_1", lambda: make(axis=1), one_hot.T[None], probabilities.T[None]),
        _case("cce_soft_target", make, s.probabilities(3, 4), probabilities),
        _case("scce_trailing_one", sparse, ids[:, None], probabilities),
        _case("scce_float_target", sparse, ids.astype(np.float32), probabilities),
        _case("scce_ignore_class", lambda: sparse(ignore_class=0), ids, probabilities),
        _case("scce_ignore_class_logits", lambda: sparse(from_logits=True, ignore_class=2), step_ids, step_logits),
        _case("scce_ignore_class_rank_3_weight", lambda: sparse(ignore_class=2), step_ids, steps, step_weight),
        _case("scce_image", sparse, s.integers(0, 3, 1, 2, 2), s.probabilities(1, 2, 2, 3)),
    ]
    return cases


def _later():
    """The other losses: one plain and one weighted case each."""
    s = Sampler("later losses")
    true, pred = s.normal(3, 4), s.normal(3, 4)
    probabilities_true, probabilities = s.probabilities(3, 4), s.probabilities(3, 4)
    binary, one_hot = s.integers(0, 2, 3, 4).astype(np.float32), np.eye(4, dtype=np.float32)[[1, 3, 0]]
    signs = binary * 2 - 1
    weight = np.array([0.5, 0, 2], np.float32)
    table = {
        "MeanAbsolutePercentageError": (true, pred), "MeanSquaredLogarithmicError": (np.abs(true), np.abs(pred)),
        "Huber": (true, pred), "LogCosh": (true, pred), "KLDivergence": (probabilities_true, probabilities),
        "Poisson": (np.abs(true), np.abs(pred)), "CosineSimilarity": (true, pred), "Hinge": (signs, pred),
        "SquaredHinge": (binary, pred), "CategoricalHinge": (one_hot, pred),
        "BinaryFocalCrossentropy": (binary, probabilities), "CategoricalFocalCrossentropy": (one_hot, probabilities),
        "Dice": (binary, probabilities), "Tversky": (binary, probabilities),
    }
    cases = []
    for name, (target, prediction) in table.items():
        make = getattr(losses, name)
        cases.append(_case(name, make, target, prediction))
        if name not in ("Dice", "Tversky"):
            cases.append(_case(f"{name}_weight", make, target, prediction, weight))
    return cases


def make(out):
    cases = _elementwise("mse", losses.MeanSquaredError) + _elementwise("mae", losses.MeanAbsoluteError)
    write(out / "losses.json", cases + _binary() + _categorical())
    write(out / "losses_later.json", _later())
