"""Figures of merit that need no framework."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    """Least score that at most a share (1 - specificity) of the negatives exceeds."""
    return float(np.quantile(scores[~positive], specificity))


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
