"""The one way the product asks for time, so that simulated time can stand in for it."""

from typing import Protocol


class Clock(Protocol):
    """A monotonic clock that can also wait."""

    def now_us(self) -> int:
        """Microseconds since an arbitrary start; never goes back."""
        ...

    def sleep_until_us(self, time_us: int) -> None:
        """Return at `time_us` or later; at once where it has passed."""
        ...
