"""A spread that a few far values do not move."""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

MAD_TO_SIGMA: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation, 1 / Phi^-1(3/4)."""


def mad_sigma(values: ArrayLike, centre: ArrayLike | None = None, axis: int | None = None) -> Any:
    """Standard deviation by the median absolute deviation.

    Args:
        values: any shape.
        centre: what they deviate from; None for their median along `axis`.
        axis: along which; None takes all.

    Returns:
        A float, or the array without `axis`.
    """
    x = np.asarray(values)
    middle = np.median(x, axis=axis, keepdims=axis is not None) if centre is None else np.asarray(centre)
    return MAD_TO_SIGMA * np.median(np.abs(x - middle), axis=axis)
