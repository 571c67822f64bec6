"""Telemetry on its way to the host: the lease that allows it and the bounded queue that it waits in."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

QUEUE_BYTES = 65536
"""Frames that may wait for the line: about 2 s of 32 pictures/s."""
EVENTS_KEPT = 32
"""Events kept for the next host while nobody listens."""


class Lease:
    """The host's permission to send, which ends by itself.

    It runs on real monotonic time whatever the device's clock does, because it guards against a host that died.

    Args:
        longest_s: a host may not ask for more.
        now_s: monotonic seconds.
    """

    def __init__(self, longest_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self.longest_s = longest_s
        self._now_s = now_s
        self._ends_s: float | None = None

    def grant(self, seconds: float) -> float:
        """Start or renew; returns the seconds granted."""
        granted = min(max(seconds, 0.0), self.longest_s)
        self._ends_s = self._now_s() + granted
        return granted

    def end(self) -> None:
        """End it at once."""
        self._ends_s = None

    @property
    def held(self) -> bool:
        """Whether a lease was granted and not ended, run out or not."""
        return self._ends_s is not None

    @property
    def left_s(self) -> float:
        """Seconds left; 0 when there is none."""
        ends_s = self._ends_s
        return 0.0 if ends_s is None else max(0.0, ends_s - self._now_s())


class FrameQueue:
    """Frames between two threads: when full, the oldest are dropped and counted.

    Args:
        capacity: bytes that may wait.
    """

    def __init__(self, capacity: int = QUEUE_BYTES) -> None:
        self._capacity = capacity
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Frames dropped since the start."""
        return self._dropped

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frames: Iterable[bytes]) -> int:
        """Append frames; returns how many of the oldest were dropped for them."""
        dropped = 0
        with self._lock:
            for frame in frames:
                self._frames.append(frame)
                self._bytes += len(frame)
            while self._bytes > self._capacity and self._frames:
                self._bytes -= len(self._frames.popleft())
                dropped += 1
            self._dropped += dropped
        return dropped

    def take(self, at_most: int) -> bytes:
        """Whole frames of about `at_most` bytes together, at least one when any waits."""
        taken: list[bytes] = []
        size = 0
        with self._lock:
            while self._frames and (not taken or size + len(self._frames[0]) <= at_most):
                frame = self._frames.popleft()
                taken.append(frame)
                size += len(frame)
            self._bytes -= size
        return b"".join(taken)

    def clear(self) -> int:
        """Forget what waits; returns the number of frames."""
        with self._lock:
            forgotten = len(self._frames)
            self._frames.clear()
            self._bytes = 0
        return forgotten
