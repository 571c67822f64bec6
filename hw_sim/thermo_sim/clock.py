"""Simulated time: as fast as the machine can (VirtualClock), or in step with the wall (WallClock); with what happens in it (GivingClock)."""

import threading
import time
from collections.abc import Callable

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_sim.given import Giver, Take


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


class GivingClock:
    """Another clock, on which samples are given to an agent while it sleeps; one thread sleeps on it.

    Args:
        clock: the other.
        giver: of the samples.
        listening: whether somebody listens to the agent.
        take: takes them.
    """

    def __init__(self, clock: Clock, giver: Giver, listening: Callable[[], bool], take: Take) -> None:
        self._clock, self._giver = clock, giver
        self._listening, self._take = listening, take

    def now_us(self) -> int:
        """As the other clock has it."""
        return self._clock.now_us()

    def sleep_until_us(self, time_us: int) -> None:
        """As the other clock's, and give meanwhile what is due."""
        while (due_us := self._giver.due_us()) is not None and due_us <= time_us:
            self._clock.sleep_until_us(due_us)
            self._giver.give(self._clock.now_us(), self._listening(), self._take)
        self._clock.sleep_until_us(time_us)
