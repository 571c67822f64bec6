"""Small pictures, some of them with a warm spot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def spots(n: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Noise, half of it with a warm spot."""
    generator = np.random.default_rng(seed)
    x = generator.normal(0, 0.3, (n, 12, 16, 1)).astype(np.float32)
    y = np.arange(n) % 2
    rows, columns = np.mgrid[:12, :16]
    for one in np.flatnonzero(y):
        at = generator.uniform(2, 10), generator.uniform(2, 14)
        x[one, :, :, 0] += 1.5 * np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / 8)
    return x, y
