"""Figures of merit that need no framework."""

import numpy as np
from numpy.typing import NDArray


def auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
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


def threshold_at_specificity(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], specificity: float = 0.95
) -> float:
    """Least score that at most a share (1 - specificity) of the negatives exceeds."""
    return float(np.quantile(scores[~positive], specificity))
