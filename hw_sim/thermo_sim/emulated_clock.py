"""The time of an emulated processor, which nobody but its instructions can make pass."""

from collections.abc import Callable


class EmulatedClock:
    """What chips on the bus of an emulated processor have as their clock.

    Args:
        now_us: the processor's time, microseconds; may be given later, and is 0 until then.
    """

    def __init__(self, now_us: Callable[[], int] | None = None) -> None:
        self._now_us = now_us
        self._wanted_us = 0

    def bind(self, now_us: Callable[[], int]) -> None:
        """Take the time of a processor."""
        self._now_us = now_us

    def now_us(self) -> int:
        """Simulated microseconds."""
        return 0 if self._now_us is None else self._now_us()

    def sleep_until_us(self, time_us: int) -> None:
        """Somebody on the bus takes until then; whoever emulates the controller has it wait."""
        self._wanted_us = max(self._wanted_us, time_us)

    def forget(self) -> None:
        """Nobody takes any time yet: a transaction begins."""
        self._wanted_us = 0

    def late_us(self) -> int:
        """How long the controller has to wait from now on, microseconds."""
        return max(0, self._wanted_us - self.now_us())
