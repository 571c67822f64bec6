"""Simulated time: as fast as the machine can (VirtualClock), or in step with the wall (WallClock)."""

import threading
import time

from thermo_core.errors import UsageError


class VirtualClock:
    """Time that passes only when somebody sleeps; sleeping costs nothing.

    Args:
        start_us: first reading, microseconds.
    """

    def __init__(self, start_us: int = 0) -> None:
        self._now_us = start_us
        self._lock = threading.Lock()

    def now_us(self) -> int:
        """Simulated microseconds."""
        return self._now_us

    def sleep_until_us(self, time_us: int) -> None:
        """Move time forward to `time_us`; a time that has passed changes nothing."""
        with self._lock:
            if time_us > self._now_us:
                self._now_us = time_us


class WallClock:
    """Time in step with the wall, scaled.

    Args:
        speed: simulated seconds a real second; 1 is real time.

    Raises:
        UsageError: `speed` is not a positive number.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise UsageError(f"The speed of simulated time is {speed}; give a number above 0, such as 1 for real time.")
        self.speed = speed
        self._start = time.monotonic()

    def now_us(self) -> int:
        """Simulated microseconds since this clock was made."""
        return int((time.monotonic() - self._start) * self.speed * 1e6)

    def sleep_until_us(self, time_us: int) -> None:
        """Return once simulated time has reached `time_us`."""
        while (left_us := time_us - self.now_us()) > 0:
            time.sleep(left_us / 1e6 / self.speed)
