"""The past minutes of each number that a page draws as a line, so that a page that is opened has something to draw at once."""

from collections import deque

import numpy as np

from thermo_core.signals import Signal, Values
from thermo_hub.live.frames import rounded

STEP_NS = 1_000_000_000
KEPT = 900
"""Steps that are remembered: a quarter of an hour."""
MOST = 16
"""Numbers of a signal that are drawn as lines at most."""


class Past:
    """Means of each second in which there was a value, of every signal of few numbers."""

    def __init__(self) -> None:
        self._steps: dict[str, deque[tuple[int, list[float], int]]] = {}
        self._units: dict[str, str] = {}

    def add(self, signal: Signal, utc_ns: int, values: Values) -> None:
        """Take a sample; signals of many numbers are passed over."""
        if signal.elements > MOST:
            return
        steps = self._steps.setdefault(signal.name, deque(maxlen=KEPT))
        step = utc_ns // STEP_NS
        flat = np.asarray(values, np.float64).ravel().tolist()
        if steps and steps[-1][0] == step and len(steps[-1][1]) == len(flat):
            _, means, count = steps[-1]
            # A second of which one sample has no value has none: a gap is no line.
            steps[-1] = step, [(m * count + v) / (count + 1) for m, v in zip(means, flat, strict=True)], count + 1
        elif not steps or step > steps[-1][0]:
            steps.append((step, flat, 1))

    def to_map(self) -> dict[str, list[list[float | None]]]:
        """For JSON: of each signal rows of seconds since 1970 and its numbers, in the order of time."""
        return {
            name: [[step, *(rounded(mean) for mean in means)] for step, means, _ in steps]
            for name, steps in self._steps.items()
        }

    def newest(self, since: dict[str, int]) -> dict[str, list[list[float | None]]]:
        """What came after the seconds that were told last, whole seconds alone; `since` is brought up to date."""
        found: dict[str, list[list[float | None]]] = {}
        for name, steps in self._steps.items():
            after = since.get(name, 0)
            rows = [one for one in reversed(steps) if one[0] > after][::-1]
            if len(rows) > 1 or (rows and rows[-1][0] > after + 1 and after == 0):
                rows = rows[:-1]
            if rows:
                since[name] = rows[-1][0]
                found[name] = [[step, *(rounded(mean) for mean in means)] for step, means, _ in rows]
        return found
