"""Telemetry on its way to the host: the lease that allows it, the queue it waits in, the outbox that fills it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from thermo_core.errors import WireError
from thermo_core.wire import records
from thermo_core.wire.events import NOTICES
from thermo_core.wire.framing import encode_frame
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, Record

QUEUE_BYTES = 65536
"""Frames that may wait for the line: about 2 s of 32 pictures/s."""
EVENTS_KEPT = 32
"""Events and steps of alerts kept for the next host while nobody listens."""
WAIT_S = 0.02


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
        self._changed = threading.Condition()
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
        with self._changed:
            for frame in frames:
                self._frames.append(frame)
                self._bytes += len(frame)
            while self._bytes > self._capacity:
                self._bytes -= len(self._frames.popleft())
                dropped += 1
            self._dropped += dropped
        return dropped

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until half of the queue is free; False where it did not come to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes <= self._capacity // 2, timeout_s)

    def take(self, at_most: int) -> bytes:
        """Whole frames of about `at_most` bytes together, at least one when any waits."""
        taken: list[bytes] = []
        size = 0
        with self._changed:
            while self._frames and (not taken or size + len(self._frames[0]) <= at_most):
                frame = self._frames.popleft()
                taken.append(frame)
                size += len(frame)
            self._bytes -= size
            self._changed.notify_all()
        return b"".join(taken)

    def clear(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._frames.clear()
            self._bytes = 0
            self._changed.notify_all()


class Outbox:
    """Numbers and frames records while a lease lasts; keeps events and steps of alerts for the next host meanwhile. Any thread may use it.

    Args:
        queue: takes the frames.
        lease: allows sending.
        wake: tells the line that there is something to send.
        on_unsendable: told of each record that does not fit the wire; it is left out, and its neighbours go.
    """

    def __init__(
        self,
        queue: FrameQueue,
        lease: Lease,
        wake: Callable[[], None],
        on_unsendable: Callable[[WireError], None] = lambda error: None,
    ) -> None:
        self._queue = queue
        self._lease = lease
        self._wake = wake
        self._on_unsendable = on_unsendable
        self._lock = threading.Lock()
        self._sequence = 0
        self._kept: deque[EventRecord | AlertRecord] = deque(maxlen=EVENTS_KEPT)
        self._counts: dict[str, int] = {}

    def publish(self, new: Iterable[Record], may_wait: Callable[[], bool] = lambda: False) -> int:
        """Send records, or keep the events and steps of alerts among them while there is no lease.

        Args:
            new: the records.
            may_wait: whether to wait for room on the line rather than drop, asked again and again; never true in the
                thread that makes the room.

        Returns:
            Frames dropped for them.
        """
        if not self._lease.left_s:
            with self._lock:
                self._kept.extend(record for record in new if isinstance(record, EventRecord | AlertRecord))
            return 0
        while may_wait() and self._lease.left_s and not self._queue.wait_for_room(WAIT_S):
            pass
        unsendable: list[WireError] = []
        with self._lock:
            frames = []
            for record in (*self._kept, *new):
                try:
                    frames.append(encode_frame(records.encode(self._completed(record), self._sequence)))
                    self._sequence += 1
                except WireError as error:
                    unsendable.append(error)
            self._kept.clear()
            dropped = self._queue.put(frames)
        for problem in unsendable:
            self._on_unsendable(problem)
        self._wake()
        return dropped

    def notice(self, name: str, text: str, time_us: int) -> None:
        """Publish an event of the agent itself, one of `events.NOTICES`."""
        with self._lock:
            count = self._counts[name] = self._counts.get(name, 0) + 1
        event = NOTICES[name]
        self.publish([EventRecord(time_us, event.code, event.severity, None, count, text)])

    def _completed(self, record: Record) -> Record:
        """A clock record with what only the sending side knows."""
        if not isinstance(record, ClockRecord):
            return record
        return replace(record, lease_left_ms=round(self._lease.left_s * 1000), dropped=self._queue.dropped)
