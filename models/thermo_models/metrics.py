"""Figures of merit that need no framework."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_OFF = 0.05
"""Goal of the expected calibration error."""


def auc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Mann-Whitney).

    Args:
        scores: (n,) real numbers.
        positive: (n,) bool, with both values present.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = mean_rank[inverse]
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def threshold_at_specificity(scores: NDArray[Any], positive: NDArray[np.bool_], specificity: float = 0.95) -> float:
    """The least threshold that at most a share (1 - specificity) of the negatives reaches.

    It lies halfway between two scores, so that rounding it, and "at least" or "more than", change nothing.
    """
    levels, counts = np.unique(scores[~positive].astype(np.float64), return_counts=True)
    reach = counts[::-1].cumsum()[::-1]
    allowed = int((reach <= (1 - specificity) * counts.sum() + 1e-9).sum())
    if allowed == len(levels):
        return float(levels[0])
    below = levels[len(levels) - allowed - 1]
    beyond = scores[scores > below]
    return (
        float((below + beyond.min()) / 2) if beyond.size else float(np.nextafter(np.float32(below), np.float32(np.inf)))
    )


def accuracy(said: NDArray[Any], truth: NDArray[Any]) -> float:
    """Share of samples, (n,) classes each, that are right."""
    return float(np.mean(said == truth))


def f1(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0 where there is neither a claim nor a case."""
    hits = int((said & truth).sum())
    either = int(said.sum()) + int(truth.sum())
    return 2 * hits / either if either else 0.0


def rmse(error: NDArray[Any]) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error))))


def auc_matched(scores: NDArray[Any], positive: NDArray[np.bool_], when: NDArray[Any], apart: float) -> float:
    """Chance that a positive scores above a negative among pairs at most `apart` from each other in `when`.

    Ties count half. Takes out what `when` alone could tell. NaN where there is no such pair.

    Args:
        scores: (n,) real numbers.
        positive: (n,) bool.
        when: (n,) what pairs are matched by, such as elapsed seconds.
        apart: most difference of `when` in a pair.
    """
    near = np.abs(when[positive][:, None] - when[~positive][None, :]) <= apart
    above = scores[positive][:, None] - scores[~positive][None, :]
    pairs = int(near.sum())
    return float(((above > 0) & near).sum() + 0.5 * ((above == 0) & near).sum()) / pairs if pairs else float("nan")


def expected_calibration_error(scores: NDArray[Any], truth: NDArray[np.int64], bins: int = 10) -> float:
    """How far a score is from the share of times it is right, on average (Guo et al. 2017): of the class that is said, in bins of equal width.

    Args:
        scores: (n, classes) that sum to 1, or (n, 1) of the second of two classes.
        truth: (n,) classes.
        bins: over scores from 0 to 1.
    """
    both = np.concatenate([1 - scores, scores], axis=1) if scores.shape[1] == 1 else scores
    said, sure = both.argmax(1), np.clip(both.max(1), 0, 1)
    right = said == truth
    place = np.minimum((sure * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    apart = np.bincount(place, sure, bins) - np.bincount(place, right, bins)
    return float(np.abs(apart).sum() / counts.sum())
