"""Temperatures as colours: dark violet through red and orange to pale yellow, of even steps in lightness."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Values

_ANCHORS = np.array(
    [
        (8, 6, 32),
        (46, 14, 84),
        (96, 20, 110),
        (146, 34, 104),
        (192, 54, 80),
        (228, 88, 46),
        (248, 138, 18),
        (250, 196, 52),
        (250, 252, 170),
    ],
    dtype=np.float64,
)
LEVELS = 256


def _table() -> NDArray[np.uint8]:
    at = np.linspace(0, len(_ANCHORS) - 1, LEVELS)
    channels = [np.interp(at, np.arange(len(_ANCHORS)), _ANCHORS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


TABLE = _table()
TABLE.setflags(write=False)
"""(256, 3) uint8 RGB, coldest first."""


def levels(celsius: Values, low: float, high: float) -> NDArray[np.intp]:
    """Row of `TABLE` for each temperature; below `low` and above `high` the ends.

    Args:
        celsius: any shape.
        low: degC of the first colour.
        high: degC of the last colour.
    """
    span = max(high - low, 1e-6)
    level = np.clip((np.asarray(celsius, dtype=np.float64) - low) / span, 0.0, 1.0) * (LEVELS - 1)
    return np.nan_to_num(level).round().astype(np.intp)
