"""Bins of a curve that widen with time: their borders, and what white noise in them is weighed by."""

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def edges(samples: int, bins: int) -> tuple[int, ...]:
    """Borders of the bins in samples, `bins` + 1 of them: one sample each at first, then ever wider.

    Each step multiplies the border so that equal steps would reach the end, and moves on by one sample at least.
    """
    found = [0]
    while len(found) <= bins:
        left = bins + 1 - len(found)
        here = max(found[-1], 1)
        ratio = (samples / here) ** (1 / left)
        found.append(max(found[-1] + 1, round(here * ratio)))
    return (*found[:-1], samples)


def weights(samples: int, bins: int) -> NDArray[np.float32]:
    """(bins,) float32: what the sum of a bin is multiplied by, 1 / root of its samples."""
    return np.asarray(1 / np.sqrt(np.diff(edges(samples, bins))), np.float32)
