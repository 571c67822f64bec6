"""The past minutes of a signal of few numbers, in even steps of time, in bounded memory."""

import math
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

    def means(self, element: int, columns: int) -> list[float]:
        """Means of even stretches of the past, newest last; NaN where there was no value.

        A stretch is as short as all that is remembered fits in, and holds a sample of a signal that comes evenly.
        """
        found = [np.nan] * columns
        if not self._steps:
            return found
        steps = np.array([step for step, _, _ in self._steps])
        usual = float(np.median(np.diff(steps))) if len(steps) > 1 else 1.0
        each = max(1, math.ceil(usual), -(-int(steps[-1] - steps[0] + 1) // columns))
        sums, counts = np.zeros(columns), np.zeros(columns, np.int64)
        for step, total, count in self._steps:
            at = columns - 1 - (int(steps[-1]) // each - step // each)
            if at >= 0 and element < len(total):
                sums[at] += total[element]
                counts[at] += count[element]
        return [total / count if count else np.nan for total, count in zip(sums.tolist(), counts.tolist(), strict=True)]
