"""The past of each number that a page draws as a line, so that a page that is opened has something to draw at once.

Of every signal of few numbers means of seconds, for minutes; of one that is faster than that every sample, for seconds.
"""

from collections import deque

import numpy as np

from thermo_core.signals import Signal, Values
from thermo_hub.live.frames import rounded

STEP_NS = 1_000_000_000
KEPT = 900
"""Steps that are remembered: a quarter of an hour."""
MOST = 16
"""Numbers of a signal that are drawn as lines at most."""
FAST_HZ = 10.0
"""A single number that comes as often is a wave, whose means say nothing."""
WAVE_NS = 10_000_000_000


def is_fast(signal: Signal) -> bool:
    """Whether a signal is a wave."""
    return signal.elements == 1 and signal.rate_hz >= FAST_HZ


class Past:
    """What is remembered of a wearable's signals."""

    def __init__(self) -> None:
        self._waves: dict[str, deque[tuple[int, float]]] = {}
        self._steps: dict[str, deque[tuple[int, list[float], int]]] = {}

    def add(self, signal: Signal, utc_ns: int, values: Values) -> None:
        """Take a sample; signals of many numbers are passed over."""
        if signal.elements > MOST:
            return
        if is_fast(signal):
            wave = self._waves.setdefault(signal.name, deque())
            wave.append((utc_ns, float(np.ravel(values)[0])))
            while wave and utc_ns - wave[0][0] > WAVE_NS:
                wave.popleft()
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

    def newest(self, told: dict[str, int], now_ns: int) -> dict[str, list[list[float | None]]]:
        """Seconds that are over and were not told yet.

        Args:
            told: the last second that was told of each signal, which is brought up to date.
            now_ns: nanoseconds since 1970 UTC.
        """
        found: dict[str, list[list[float | None]]] = {}
        for name, steps in self._steps.items():
            over = max(now_ns // STEP_NS, steps[-1][0])
            rows = []
            for step, means, _ in reversed(steps):
                if step <= told.get(name, 0):
                    break
                if step < over:
                    rows.append([step, *(rounded(mean) for mean in means)])
            if rows:
                told[name] = int(rows[0][0] or 0)
                found[name] = rows[::-1]
        return found

    def waves(self, since_ns: int = 0) -> dict[str, list[list[float | None]]]:
        """Every sample of fast signals after a moment: rows of seconds since 1970 and the number."""
        return {
            name: [[round(utc_ns / 1e9, 3), rounded(value)] for utc_ns, value in wave if utc_ns > since_ns]
            for name, wave in self._waves.items()
        }
