"""A value that never changes: a chip that hangs goes on answering with what it said last."""

import numpy as np
from numpy.typing import NDArray


def said_of(counts: NDArray[np.int32], low: int, high: int) -> bytes | None:
    """What a burst of samples says where all of them are equal, as those of a FIFO whose chip hangs; None where they are not.

    Samples at an end of their range say nothing: a light that is off, or that blinds, is as steady as a chip that hangs.

    Args:
        counts: (n, channels).
        low: one end of the range.
        high: the other.
    """
    first = counts[0]
    if (counts != first).any() or ((first <= low) | (first >= high)).any():
        return None
    return bytes(first.tobytes())


class Repeats:
    """Watches for readings that are equal to the last bit for longer than noise allows.

    Args:
        limit: so many equal readings in a row are a fault; 0 watches for nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last: object = None
        self._count = 0

    def push(self, reading: object) -> bool:
        """Take a reading; whether it is one of too many."""
        self._count = self._count + 1 if reading == self._last else 1
        self._last = reading
        return 0 < self._limit <= self._count
