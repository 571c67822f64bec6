"""Accuracy of a model on an evaluation set, and the gate that stops one that lost too much."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import AccuracyDropError, UsageError
from thermo_quantize.layers import LayerNoise
from thermo_quantize.samples import Samples

MAX_DROP = 0.5
_ROUNDING = 1e-9
"""A share of 0.515 less one of 0.51 is a little more than 0.005."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good outputs are.

    Attributes:
        metric: "accuracy" (of classes), "rmse" (of targets), or "agreement" (with float, where there are no labels): the
            share of equal argmax, or of one output 1 - RMSE / standard deviation.
        value: a share for accuracy and agreement, in the targets' unit for rmse.
        auc: of two classes, None otherwise.
        samples: how many.
    """

    metric: str
    value: float
    auc: float | None
    samples: int


def score(outputs: NDArray[np.float32], samples: Samples, exact: NDArray[np.float32] | None = None) -> Score:
    """Score real outputs (n, ...).

    Args:
        outputs: of the model, its first output.
        samples: with labels, or without where `exact` is given.
        exact: the float model's outputs, to agree with where there are no labels.

    Raises:
        UsageError: labels do not fit the outputs.
    """
    flat = outputs.reshape(len(outputs), -1)
    classes = samples.classes
    if classes is not None and flat.shape[1] == 1 and set(np.unique(classes).tolist()) <= {0, 1}:
        return _of_one_output(flat[:, 0], classes, flat if exact is None else exact)
    if classes is not None and flat.shape[1] > 1:
        if classes.min() < 0 or classes.max() >= flat.shape[1]:
            raise UsageError(
                f"{samples.name} has classes up to {classes.max()} and the model {flat.shape[1]} outputs; use its own data."
            )
        value = float(np.mean(flat.argmax(axis=1) == classes))
        two = _auc(flat[:, 1], classes == 1) if flat.shape[1] == 2 and 0 < classes.mean() < 1 else None
        return Score("accuracy", value, two, len(flat))
    if samples.labels is not None:
        targets = samples.labels.astype(np.float64).reshape(len(flat), -1)
        if targets.shape != flat.shape:
            raise UsageError(
                f"{samples.name} has targets y of {targets.shape[1]} values and the model {flat.shape[1]} outputs; "
                "store one value an output, or classes as whole numbers."
            )
        return Score("rmse", float(np.sqrt(np.mean((flat - targets) ** 2))), None, len(flat))
    if exact is None:
        raise UsageError(f"{samples.name} has no labels y; add them, or compare with the float model.")
    other = exact.reshape(len(exact), -1)
    if flat.shape[1] > 1:
        return Score("agreement", float(np.mean(flat.argmax(axis=1) == other.argmax(axis=1))), None, len(flat))
    spread = float(np.std(other)) or 1.0
    return Score("agreement", max(0.0, 1 - float(np.sqrt(np.mean((flat - other) ** 2))) / spread), None, len(flat))


def _of_one_output(outputs: NDArray[np.float32], classes: NDArray[np.int64], exact: NDArray[np.float32]) -> Score:
    """Two classes told apart by one output: at 0.5 where it is a probability, at 0 where it is a logit."""
    probability = bool(np.all((exact >= 0) & (exact <= 1)))
    value = float(np.mean((outputs > (0.5 if probability else 0.0)) == (classes == 1)))
    two = _auc(outputs, classes == 1) if 0 < classes.mean() < 1 else None
    return Score("accuracy", value, two, len(outputs))


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
