"""A value that never changes: a chip that hangs goes on answering with what it said last."""


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
