"""How fast a number changes: the least-squares line through the means of equal pieces of the last stretch of time."""

import math
from collections import deque

PIECES = 60
"""Of the stretch; a number that comes often costs no more than one that comes seldom."""
ENOUGH = 0.8
"""Share of the stretch that must be known."""


class Slope:
    """A number's change, in its unit an hour.

    Args:
        over_s: length of the stretch, seconds.
    """

    def __init__(self, over_s: float) -> None:
        self._over_s = over_s
        self._piece_s = over_s / PIECES
        self._pieces: deque[tuple[float, float]] = deque()
        self._number: int | None = None
        self._sum_s = self._sum = 0.0
        self._count = 0

    def reset(self) -> None:
        """Forget what came: it is not of the same thing as what follows."""
        self._pieces.clear()
        self._number, self._count = None, 0

    def push(self, at_s: float, value: float) -> float | None:
        """Take the number at a moment; the slope where a piece ends with it, NaN while too little is known, else None."""
        number = math.floor(at_s / self._piece_s)
        if self._number is not None and number < self._number:
            self.reset()
        slope = None
        if self._number is not None and number > self._number:
            self._pieces.append((self._sum_s / self._count, self._sum / self._count))
            slope = self._line(self._pieces[-1][0])
        if number != self._number:
            self._number, self._sum_s, self._sum, self._count = number, 0.0, 0.0, 0
        self._sum_s += at_s
        self._sum += value
        self._count += 1
        return slope

    def _line(self, now_s: float) -> float:
        while now_s - self._pieces[0][0] > self._over_s:
            self._pieces.popleft()
        if now_s - self._pieces[0][0] < ENOUGH * self._over_s or len(self._pieces) < 3:
            return math.nan
        times = [at - now_s for at, _ in self._pieces]
        values = [value for _, value in self._pieces]
        middle, mean = sum(times) / len(times), sum(values) / len(values)
        spread = sum((at - middle) ** 2 for at in times)
        return 3600 * sum((at - middle) * (value - mean) for at, value in zip(times, values, strict=True)) / spread
