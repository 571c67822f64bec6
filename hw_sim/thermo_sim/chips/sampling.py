"""When the samples of a chip with a FIFO are due, by its own clock, and which of them anybody can still see."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FIRST, LAST = 32, 64
"""Of many samples that are due at once: a FIFO keeps at most so many of the first, or of the last."""


class Sampling:
    """The samples of one run of a chip.

    Args:
        start_us: when it was started.
        period_us: from one sample to the next; the first one is complete a period after the start.
    """

    def __init__(self, start_us: int, period_us: float) -> None:
        self._start_us, self._period_us = start_us, period_us
        self._made = 0

    @property
    def made(self) -> int:
        """Samples so far, seen or not."""
        return self._made

    def due(
        self,
        time_us: int,
        measure: Callable[[NDArray[np.float64]], list[tuple[int, ...]]],
        push: Callable[[tuple[int, ...], int], None],
    ) -> None:
        """Make what is due.

        Args:
            time_us: the time now.
            measure: samples that end at (n,) times, microseconds.
            push: takes a sample and the time of its end. Where very many are due, those that no FIFO keeps are copies.
        """
        count = int((time_us - self._start_us) // self._period_us) - self._made
        if count <= 0:
            return
        places = np.arange(count)
        if count > FIRST + LAST:
            places = np.concatenate([places[:FIRST], places[-LAST:]])
        ends_us = self._start_us + (self._made + places + 1) * self._period_us
        for place, end_us, sample in zip(places.tolist(), ends_us.tolist(), measure(ends_us), strict=True):
            push(sample, round(end_us))
            if place == FIRST - 1 and count > FIRST + LAST:
                for _ in range(count - FIRST - LAST):
                    push(sample, round(end_us))
        self._made += count
