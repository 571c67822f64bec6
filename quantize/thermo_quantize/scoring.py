"""Accuracy of a model on an evaluation set, and the gate that stops one that lost too much."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import AccuracyDropError, UsageError
from thermo_quantize.layers import LayerNoise
from thermo_quantize.samples import Samples

MAX_DROP = 0.5
_SUM = 1e-3
"""Classes of a cell whose outputs add up to 1 but for this are probabilities."""
_ROUNDING = 1e-9
"""A share of 0.515 less one of 0.51 is a little more than 0.005."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good outputs are.

    Attributes:
        metric: "accuracy" (of classes), "rmse" (of targets), or "agreement" (with float, where there are no labels): the
            share of equal classes, or of values without a class 1 - RMSE / standard deviation.
        value: a share for accuracy and agreement, in the targets' unit for rmse.
        auc: of two classes, None otherwise.
        samples: how many.
        cells: places of a sample that have a class or a value each: 1, or the cells of a map.
    """

    metric: str
    value: float
    auc: float | None
    samples: int
    cells: int = 1


def score(outputs: NDArray[np.float32], samples: Samples, exact: NDArray[np.float32] | None = None) -> Score:
    """Score real outputs: (n, values), or a map (n, ..., values), of which every cell counts.

    Args:
        outputs: of the model, its first output.
        samples: with labels, or without where `exact` is given. A map's labels are a class, or a truth value, for each cell
            (n, ...), or as many numbers as the map has.
        exact: the float model's outputs, to agree with where there are no labels.

    Raises:
        UsageError: labels do not fit the outputs.
    """
    cells = by_cell(outputs)
    if samples.labels is None:
        if exact is None:
            raise UsageError(f"{samples.name} has no labels y; add them, or compare with the float model.")
        return _agreement(cells, by_cell(exact))
    classes = _classes(samples, outputs.shape)
    if classes is None:
        return _of_targets(outputs, samples)
    if cells.shape[2] == 1 or classes.size != cells.shape[0] * cells.shape[1]:
        flat = outputs.reshape(len(outputs), -1)
        return _of_truth_values(flat, classes.reshape(flat.shape), flat if exact is None else exact)
    if classes.min() < 0 or classes.max() >= cells.shape[2]:
        beyond = f"classes up to {classes.max()}" if classes.min() >= 0 else f"the class {classes.min()}"
        a_cell = "" if cells.shape[1] == 1 else " a cell"
        raise UsageError(
            f"{samples.name} has {beyond} and the model {cells.shape[2]} outputs{a_cell}; use its own data."
        )
    said, truth = cells.reshape(-1, cells.shape[2]), classes.ravel()
    two = _auc(said[:, 1], truth == 1) if said.shape[1] == 2 and 0 < truth.mean() < 1 else None
    return Score("accuracy", float(np.mean(said.argmax(axis=1) == truth)), two, len(cells), cells.shape[1])


def by_cell(outputs: NDArray[Any]) -> NDArray[Any]:
    """Outputs (n, ..., values) as (n, cells, values); what has one cell alone, such as (n, 1, 1, classes), is no map."""
    return outputs.reshape(len(outputs), -1, outputs.shape[-1] if outputs.ndim > 1 else 1)


def _classes(samples: Samples, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Classes of samples, (n,), of cells, (n, ...), or truth values of each number; None where labels are targets.

    Raises:
        UsageError: a map has labels of whole samples.
    """
    labels = samples.labels
    cells = int(np.prod(shape[1:-1]))
    if labels is None:
        return None
    whole = np.issubdtype(labels.dtype, np.integer) or labels.dtype == np.bool_
    if cells == 1:
        classes = samples.classes
        one_output = int(np.prod(shape[1:])) == 1
        return None if classes is None or (one_output and not set(np.unique(classes).tolist()) <= {0, 1}) else classes
    if labels.size == len(labels):
        raise UsageError(
            f"{samples.name} has one label y a sample and the model a map of {_by(shape[1:])}; store one for each cell."
        )
    if labels.shape == shape and shape[-1] > 1 and _one_hot(labels):
        return np.asarray(labels.argmax(axis=-1), np.int64)
    if whole and shape[-1] > 1 and labels.size == shape[0] * cells:
        return labels.astype(np.int64)
    if whole and labels.size == int(np.prod(shape)) and set(np.unique(labels).tolist()) <= {0, 1}:
        return labels.astype(np.int64)
    return None


def _one_hot(labels: NDArray[Any]) -> bool:
    return bool(np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=-1) == 1))


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _of_targets(outputs: NDArray[np.float32], samples: Samples) -> Score:
    assert samples.labels is not None
    flat = outputs.reshape(len(outputs), -1)
    targets = samples.labels.astype(np.float64).reshape(len(flat), -1)
    if targets.shape != flat.shape:
        by = f" of {_by(outputs.shape[1:-1])} cells" if np.prod(outputs.shape[1:-1]) > 1 else ""
        raise UsageError(
            f"{samples.name} has labels y of {targets.shape[1]} values a sample and the model {flat.shape[1]} outputs{by}; "
            f"store one value an output, or a class as a whole number{' a cell' if by else ''}."
        )
    cells = flat.shape[1] if outputs.ndim > 2 else 1
    return Score("rmse", float(np.sqrt(np.mean((flat - targets) ** 2))), None, len(flat), cells)


def _agreement(cells: NDArray[np.float32], exact: NDArray[np.float32]) -> Score:
    """Of one cell, of classes where it has several values; of a map, of classes where they are probabilities."""
    if cells.shape[2] > 1 and (cells.shape[1] == 1 or _probabilities(exact)):
        same = cells.argmax(axis=2) == exact.argmax(axis=2)
        return Score("agreement", float(np.mean(same)), None, len(cells), cells.shape[1])
    spread = float(np.std(exact)) or 1.0
    error = float(np.sqrt(np.mean((cells - exact) ** 2)))
    return Score("agreement", max(0.0, 1 - error / spread), None, len(cells), cells.shape[1])


def _probabilities(exact: NDArray[np.float32]) -> bool:
    return bool(np.all(exact >= 0) and np.all(np.abs(exact.sum(axis=2) - 1) < _SUM))


def _of_truth_values(outputs: NDArray[np.float32], truth: NDArray[np.int64], exact: NDArray[np.float32]) -> Score:
    """Two classes told apart by one number each: at 0.5 where it is a probability, at 0 where it is a logit."""
    probability = bool(np.all((exact >= 0) & (exact <= 1)))
    value = float(np.mean((outputs > (0.5 if probability else 0.0)) == (truth == 1)))
    two = _auc(outputs.ravel(), truth.ravel() == 1) if 0 < truth.mean() < 1 else None
    return Score("accuracy", value, two, len(outputs), outputs.shape[1])


def drop(exact: Score, quantized: Score) -> float:
    """Points lost: percentage points of a share, or percent by which an RMSE grew."""
    if exact.metric == "rmse":
        return 100 * (quantized.value / max(exact.value, 1e-12) - 1)
    if exact.metric == "agreement":
        return 100 * (1 - quantized.value)
    return 100 * (exact.value - quantized.value)


def gate(exact: Score, quantized: Score, max_drop: float, worst: LayerNoise | None, scheme: str) -> float:
    """The drop, where it is small enough.

    Raises:
        AccuracyDropError: it is not; the sentence says how much, which layer loses most, and what to try.
    """
    lost = drop(exact, quantized)
    if not lost <= max_drop + _ROUNDING:
        layer = f"; {worst.loss}" if worst else ""
        raise AccuracyDropError(
            f"The {scheme} model loses {lost:.2f} points of {exact.metric} ({exact.value:.4f} to {quantized.value:.4f}) "
            f"and may lose {max_drop:g}{layer}; try {_ADVICE.get(scheme, 'scheme qat')}."
        )
    return lost


_ADVICE = {
    "int8-per-tensor": "scheme int8, which has a scale a channel",
    "int8": "another --calibrator, scheme mixed, which keeps that layer in float, or scheme qat",
    "mixed": "a larger --keep-float, or scheme qat",
    "qat": "more --epochs, or scheme int16x8",
    "dynamic": "scheme int8 or mixed",
    "int16x8": "scheme float32",
}


def _auc(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (positive.size - n)))
