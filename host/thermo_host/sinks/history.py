"""The past minutes of a signal of few numbers, in even steps of time, in bounded memory."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Values

STEP_NS = 1_000_000_000
KEPT = 120
"""Steps that are remembered."""
MOST = 16
"""Numbers of a signal that has a history at most."""


class History:
    """Means of each second in which there was a value."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, NDArray[np.float64], NDArray[np.int64]]] = deque(maxlen=KEPT)

    def add(self, utc_ns: int, values: Values) -> None:
        """Take a sample; NaN is no value."""
        flat = np.asarray(values, np.float64).ravel()
        if not 1 <= flat.size <= MOST:
            return
        step, known = utc_ns // STEP_NS, ~np.isnan(flat)
        if self._steps and (step < self._steps[-1][0] or flat.size != len(self._steps[-1][1])):
            self._steps.clear()
        if not self._steps or step > self._steps[-1][0]:
            self._steps.append((step, np.zeros(flat.size), np.zeros(flat.size, np.int64)))
        _, sums, counts = self._steps[-1]
        sums[known] += flat[known]
        counts += known

    def means(self, element: int, steps: int) -> list[float]:
        """Mean of each of the last steps, oldest first; NaN where there was no value."""
        found = [np.nan] * steps
        if not self._steps:
            return found
        last = self._steps[-1][0]
        for step, sums, counts in self._steps:
            at = steps - 1 - (last - step)
            if at >= 0 and element < len(sums) and counts[element]:
                found[at] = float(sums[element] / counts[element])
        return found
