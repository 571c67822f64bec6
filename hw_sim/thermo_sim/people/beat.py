"""One beat of the heart under a light sensor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SYSTOLE = 0.22
"""Share of a beat after which the light is least."""


def blood(phase: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """How much blood there is under the sensor, 0 to about 1, by share of a beat; (n,)."""
    rise = np.sin(np.pi / 2 * np.minimum(phase / _SYSTOLE, 1))
    fall = np.exp(-3.5 * np.maximum(phase - _SYSTOLE, 0) / (1 - _SYSTOLE))
    whole: NDArray[np.float64] = rise * fall
    return whole
