"""The agent's end of the serial line: keeps the port open, hears requests, sends answers before telemetry."""

import contextlib
import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable

from thermo_core.errors import LinkError, LinkLostError
from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.smp import encode_packets
from thermo_device.port import Port
from thermo_device.smp_server import BUFFER_SIZE
from thermo_device.telemetry import FrameQueue

log = logging.getLogger(__name__)

CHUNK = 4096
"""Telemetry handed to the port at once; an answer waits for no more than this."""
FIRST_RETRY_S = 0.02
LAST_RETRY_S = 1.0
ANSWER_BYTES = 16384
"""Answers that may wait for the line; a host that asks on without reading is not heard before it reads."""
NOBODY_READS_S = 5.0
"""Answers that nobody has taken for so long would only confuse the next host."""
_FULL_WAIT_S = 0.02
_RESYNC = b"\n\x00"


class Line:
    """One serial line, used by one thread; only `wake` may be called from others.

    Args:
        port: opened, and opened again after every loss.
        telemetry: frames that wait for room on the line.
        count: adds to a named counter.
    """

    def __init__(self, port: Port, telemetry: FrameQueue, count: Callable[[str, int], None]) -> None:
        self._port = port
        self._telemetry = telemetry
        self._count = count
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._answers: deque[bytes] = deque()
        self._answer_bytes = 0
        self._moved_s = 0.0
        self._sending = b""
        self._resync = False
        self._demultiplexer = Demultiplexer(BUFFER_SIZE)
        self._discarded = 0
        self._open = False
        self._was_open = False
        self._retry_s = FIRST_RETRY_S
        self._retry_at_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the port is there."""
        return self._open

    def wake(self) -> None:
        """Make a waiting `poll` return; any thread may call it."""
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Close the port for good."""
        self._port.close()
        self._open = False
        os.close(self._wake)

    def poll(self, timeout_s: float) -> list[bytes]:
        """Send what waits, then hear the line for at most `timeout_s`; returns whole SMP messages."""
        if not self._open and not self._try_open():
            self._wait(min(timeout_s, max(0.0, self._retry_at_s - time.monotonic())), port=False)
            return []
        try:
            self._pump()
            self._forget_unread()
            waiting = bool(self._sending)
            hear = self._answer_bytes < ANSWER_BYTES
            if not self._wait(min(timeout_s, _FULL_WAIT_S) if waiting else timeout_s, True, waiting, hear):
                return []
            return self._hear()
        except LinkLostError as error:
            self._lose(error)
            return []

    def send(self, message: bytes) -> None:
        """Queue an answer; it leaves with the next `poll`, before any telemetry."""
        packets = encode_packets(message)
        self._answers.append(packets)
        self._answer_bytes += len(packets)

    def drain(self, timeout_s: float) -> None:
        """Send all answers, or give up after `timeout_s` or when the port vanishes."""
        end_s = time.monotonic() + timeout_s
        while self._open and (self._answers or self._sending) and time.monotonic() < end_s:
            try:
                self._pump()
                if self._sending:
                    self._wait(_FULL_WAIT_S, port=True, room=True)
            except LinkLostError as error:
                self._lose(error)

    def hush(self) -> None:
        """The host is gone: forget telemetry that waits, also what the kernel holds; the line is quiet at once."""
        self._telemetry.clear()
        if self._open:
            self._port.discard_output()
            self._resync = self._resync or bool(self._sending)
            self._sending = b""

    def _pump(self) -> None:
        while True:
            if not self._sending:
                if self._answers:
                    self._sending = self._answers.popleft()
                    self._answer_bytes -= len(self._sending)
                else:
                    self._sending = self._telemetry.take(CHUNK)
                if not self._sending:
                    self._moved_s = time.monotonic()
                    return
                if self._resync:
                    self._sending, self._resync = _RESYNC + self._sending, False
            taken = self._port.write(self._sending)
            if not taken:
                return
            self._moved_s = time.monotonic()
            self._sending = self._sending[taken:]

    def _forget_unread(self) -> None:
        if not self._answers or time.monotonic() - self._moved_s < NOBODY_READS_S:
            return
        self._count("answers_dropped", len(self._answers))
        self._answers.clear()
        self._answer_bytes = 0
        self.hush()

    def _wait(self, timeout_s: float, port: bool, room: bool = False, hear: bool = True) -> bool:
        """Wait for the port or a wake-up; True when the port has something to say, or is gone."""
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        if port:
            poller.register(self._port.fileno(), (select.POLLIN if hear else 0) | (select.POLLOUT if room else 0))
        ready = dict(poller.poll(max(0.0, timeout_s) * 1000))
        if ready.pop(self._wake, 0):
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
        return any(event & ~select.POLLOUT for event in ready.values())

    def _hear(self) -> list[bytes]:
        frames = self._demultiplexer.feed(self._port.read())
        counters = self._demultiplexer.counters
        discarded = counters.discarded
        if discarded > self._discarded:
            self._count("line_bytes_discarded", discarded - self._discarded)
            self._discarded = discarded
        return [frame.message for frame in frames if isinstance(frame, ManagementFrame)]

    def _try_open(self) -> bool:
        if time.monotonic() < self._retry_at_s:
            return False
        try:
            self._port.open()
        except LinkError as error:
            if self._retry_s >= LAST_RETRY_S:
                log.debug("%s", error)
            else:
                log.info("%s", error)
            self._retry_at_s = time.monotonic() + self._retry_s
            self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
            return False
        if self._was_open:
            self._count("port_reopened", 1)
        self._open = self._was_open = True
        self._retry_s = FIRST_RETRY_S
        self._demultiplexer = Demultiplexer(BUFFER_SIZE)
        self._discarded = 0
        self._sending, self._resync = b"", False
        self._answers.clear()
        self._answer_bytes = 0
        self._moved_s = time.monotonic()
        return True

    def _lose(self, error: LinkLostError) -> None:
        log.warning("%s", error)
        self._count("port_lost", 1)
        self._port.close()
        self._open = False
        self._retry_at_s = time.monotonic() + self._retry_s
        self._telemetry.clear()
