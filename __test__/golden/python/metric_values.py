"""Metrics as sequences of update_state, and what 'accuracy' and 'crossentropy' stand for."""

import keras
import numpy as np
from keras import metrics
from keras.src.trainers.compile_utils import get_loss, get_metric

from encoding import named, tensor, tensors, write
from environment import fresh_session
from samples import Sampler


def _sequence(name, make, updates):
    """`updates`: tuples of arguments (y_true, y_pred[, sample_weight]), or (values[, weight]) for Mean and Sum."""
    fresh_session()
    metric = make()
    record = {"name": name, "config": keras.saving.serialize_keras_object(metric), "updates": []}
    # R2Score and F1Score make their variables at the first update and have no result before it.
    record["result_before"] = tensor(np.asarray(metric.result())) if getattr(metric, "_built", True) else None
    for update in updates:
        metric.update_state(*update)
        record["updates"].append({"arguments": tensors(list(update)), "result": tensor(np.asarray(metric.result()))})
    record["variables"] = named(metric.variables)
    metric.reset_state()
    record["result_after_reset"] = tensor(np.asarray(metric.result()))
    return record


def _means():
    s = Sampler("mean metrics")
    a, b = s.normal(4), s.normal(3, 2)
    zero = np.zeros(4, np.float32)
    weight = np.array([1, 0, 2, 0.5], np.float32)
    masked = [(a, weight), (b, np.array([1, 2, 0], np.float32))]
    return [
        _sequence("mean", metrics.Mean, [(a,), (b,)]),
        _sequence("mean_weighted", metrics.Mean, masked),
        _sequence("mean_scalar_updates", metrics.Mean, [(np.float32(2),), (np.float32(5), np.float32(3))]),
        _sequence("mean_weight_zero", metrics.Mean, [(a, zero)]),
        _sequence("mean_weight_column", metrics.Mean, [(b, np.array([[1], [0], [3]], np.float32))]),
        _sequence("sum", metrics.Sum, [(a,), (b,)]),
        _sequence("sum_weighted", metrics.Sum, masked),
    ]


def _errors():
    s = Sampler("error metrics")
    first, second = (s.normal(4, 2), s.normal(4, 2)), (s.normal(3, 2), s.normal(3, 2))
    column = (s.normal(4, 1), s.normal(4, 1))
    weight = np.array([1, 0, 2, 0.5], np.float32)
    time = (s.normal(2, 3, 2), s.normal(2, 3, 2), s.uniform(0, 2, 2, 3, digits=1))
    cases = []
    for name in ("MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError"):
        kind = getattr(metrics, name)
        cases += [
            _sequence(name, kind, [first, second]),
            _sequence(f"{name}_weighted", kind, [(*first, weight), second]),
            _sequence(f"{name}_column", kind, [column, (column[0][:, 0], column[1])]),
            _sequence(f"{name}_weight_column", kind, [(*column, weight[:, None])]),
            _sequence(f"{name}_rank_3_weight_step", kind, [time]),
        ]
    return cases


def _accuracies():
    s = Sampler("accuracy metrics")
    weight = np.array([1, 0, 2, 0.5], np.float32)
    binary, binary_pred = s.integers(0, 2, 4, 1).astype(np.float32), s.uniform(0, 1, 4, 1)
    at_threshold = np.array([[0.5], [0.50000006], [0.49999997], [0.5]], np.float32)
    ids, pred = s.integers(0, 3, 4), s.probabilities(4, 3)
    one_hot = np.eye(3, dtype=np.float32)[ids]
    ties = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.25, 0.5, 0.25], [0.3, 0.3, 0.3]], np.float32)
    step_ids, steps = s.integers(0, 3, 2, 3), s.probabilities(2, 3, 3)
    step_weight = s.uniform(0, 2, 2, 3, digits=1)
    many = (s.integers(0, 2, 3, 4).astype(np.float32), s.uniform(0, 1, 3, 4))
    return [
        _sequence("binary", metrics.BinaryAccuracy, [(binary, binary_pred), (1 - binary, binary_pred)]),
        _sequence("binary_weighted", metrics.BinaryAccuracy, [(binary, binary_pred, weight)]),
        _sequence("binary_threshold", lambda: metrics.BinaryAccuracy(threshold=0.7), [(binary, binary_pred)]),
        _sequence("binary_at_threshold", metrics.BinaryAccuracy, [(binary, at_threshold)]),
        _sequence("binary_rank_1_target", metrics.BinaryAccuracy, [(binary[:, 0], binary_pred)]),
        _sequence("binary_many_columns", metrics.BinaryAccuracy, [many]),
        _sequence("categorical", metrics.CategoricalAccuracy, [(one_hot, pred), (one_hot[::-1], pred)]),
        _sequence("categorical_weighted", metrics.CategoricalAccuracy, [(one_hot, pred, weight)]),
        _sequence("categorical_ties", metrics.CategoricalAccuracy, [(one_hot, ties)]),
        _sequence("categorical_rank_3", metrics.CategoricalAccuracy,
                  [(np.eye(3, dtype=np.float32)[step_ids], steps, step_weight)]),
        _sequence("sparse", metrics.SparseCategoricalAccuracy, [(ids, pred), (ids[::-1], pred)]),
        _sequence("sparse_column_target", metrics.SparseCategoricalAccuracy, [(ids[:, None], pred)]),
        _sequence("sparse_weighted", metrics.SparseCategoricalAccuracy, [(ids, pred, weight)]),
        _sequence("sparse_ties", metrics.SparseCategoricalAccuracy, [(ids, ties)]),
        _sequence("sparse_rank_3", metrics.SparseCategoricalAccuracy, [(step_ids, steps, step_weight)]),
        _sequence("sparse_float_target", metrics.SparseCategoricalAccuracy, [(ids.astype(np.float32), pred)]),
        _sequence("accuracy", metrics.Accuracy, [(ids, ids[::-1]), (ids, ids)]),
        _sequence("accuracy_float", metrics.Accuracy, [(one_hot, np.round(pred))]),
        _sequence("top_2", lambda: metrics.TopKCategoricalAccuracy(k=2), [(one_hot, pred), (one_hot, ties)]),
        _sequence("sparse_top_2", lambda: metrics.SparseTopKCategoricalAccuracy(k=2), [(ids, pred), (ids, ties)]),
    ]


def _crossentropies():
    s = Sampler("crossentropy metrics")
    ids, pred, logits = s.integers(0, 3, 4), s.probabilities(4, 3), s.normal(4, 3)
    one_hot = np.eye(3, dtype=np.float32)[ids]
    binary, binary_pred = s.integers(0, 2, 4, 1).astype(np.float32), s.uniform(0.1, 0.9, 4, 1)
    weight = np.array([1, 0, 2, 0.5], np.float32)
    return [
        _sequence("binary_crossentropy", metrics.BinaryCrossentropy,
                  [(binary, binary_pred), (binary, binary_pred, weight)]),
        _sequence("binary_crossentropy_logits",
                  lambda: metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), [(binary, logits[:, :1])]),
        _sequence("categorical_crossentropy", metrics.CategoricalCrossentropy, [(one_hot, pred, weight)]),
        _sequence("sparse_categorical_crossentropy", metrics.SparseCategoricalCrossentropy, [(ids, pred, weight)]),
        _sequence("sparse_categorical_crossentropy_logits",
                  lambda: metrics.SparseCategoricalCrossentropy(from_logits=True), [(ids, logits)]),
    ]


def _later():
    """Metrics of the next stage."""
    s = Sampler("later metrics")
    true, pred = s.integers(0, 2, 8).astype(np.float32), s.uniform(0, 1, 8, digits=2)
    weight = s.uniform(0, 2, 8, digits=1)
    two = [(true, pred), (1 - true, pred[::-1].copy(), weight)]
    names = ("Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
    cases = [_sequence(name, getattr(metrics, name), two) for name in names]
    cases += [
        _sequence("Precision_thresholds", lambda: metrics.Precision(thresholds=[0.3, 0.7]), two),
        _sequence("AUC", lambda: metrics.AUC(num_thresholds=20), two),
        _sequence("AUC_PR", lambda: metrics.AUC(num_thresholds=20, curve="PR"), two),
        _sequence("CosineSimilarity", metrics.CosineSimilarity, [(s.normal(3, 4), s.normal(3, 4))]),
        _sequence("R2Score", metrics.R2Score, [(s.normal(5, 1), s.normal(5, 1))]),
        _sequence("F1Score", metrics.F1Score, [(np.eye(3, dtype=np.float32)[[0, 2, 1, 2]], s.probabilities(4, 3))]),
    ]
    return cases


def _selection():
    """Which metric or loss a name that depends on the shapes of target and prediction becomes in compile()."""
    shapes = [
        ((None, 1), (None, 1)), ((None,), (None, 1)), ((None,), (None,)), ((None, 3), (None, 3)), ((None,), (None, 3)),
        ((None, 1), (None, 3)), ((None, 4), (None, 4, 3)), ((None, 4, 3), (None, 4, 3)), ((None, 4, 1), (None, 4, 3)),
        ((None, 4, 1), (None, 4, 1)), ((None, 2, 2), (None, 2, 2, 5)), ((None, 1), (None, 2)), ((None, 2), (None, 1)),
    ]
    rows = []
    for kind, name, choose in (
        ("metric", "accuracy", get_metric), ("metric", "acc", get_metric),
        ("loss", "crossentropy", get_loss), ("loss", "ce", get_loss),
    ):
        for true_shape, pred_shape in shapes:
            fresh_session()
            chosen = choose(name, keras.KerasTensor(true_shape), keras.KerasTensor(pred_shape))
            rows.append(
                {
                    "kind": kind,
                    "identifier": name,
                    "y_true_shape": list(true_shape),
                    "y_pred_shape": list(pred_shape),
                    "function": (chosen._fn if kind == "metric" else chosen.fn).__name__,
                    "name": chosen.name,
                }
            )
    return rows


def make(out):
    write(out / "metrics.json", _means() + _errors() + _accuracies() + _crossentropies())
    write(out / "metrics_later.json", _later())
    write(out / "compile_selection.json", _selection())
