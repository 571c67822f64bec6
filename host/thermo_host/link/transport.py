"""One serial line, held alone: a thread reads it and parts management answers from telemetry, any thread may write.

Exclusive means `flock` on the device node, as pyserial does it: the kernel drops it with the process, however that
ends. TIOCEXCL is not used, because on a pseudo-terminal it outlives a killed process and locks the next one out.

Whoever waits here may be interrupted by Ctrl-C or SIGTERM at any instruction and still has to tell the device to be
quiet, so no Python-coded lock is held between the threads: a `Condition` (and with it `Event`, `Future`, `Queue`)
that is left at the wrong instruction stays locked, and the reader would wait for it for ever.
"""

import contextlib
import errno
import os
import queue
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import serial

from thermo_core.errors import (
    LinkError,
    LinkLostError,
    LinkTimeoutError,
    ManagementError,
    PortBusyError,
    PortNotFoundError,
    UsageError,
)
from thermo_core.wire.baud import DEFAULT_BAUD
from thermo_core.wire.framing import Demultiplexer, LineCounters, ManagementFrame
from thermo_core.wire.smp import SmpHeader, encode_packets
from thermo_host.link import ports

READ_SIZE = 65536
BACKLOG = 4096
"""Telemetry records kept for a consumer that lags; older ones are dropped and counted."""
WRITE_TIMEOUT_S = 5.0
MOST_EMPTY = 1000
"""Times that a port may be readable and give nothing, one after the other; one that is gone is so for ever."""

_Key = tuple[int, int, int]
_Take = Callable[[bytes | LinkLostError], None]


class SerialLine:
    """An open port.

    Args:
        port: path of the device or of a link to it.
        baud: baud rate; means nothing on a pseudo-terminal or USB gadget.

    Attributes:
        port, baud: as given.
        bytes_received: since opening.
        overflow: telemetry records dropped here because nobody took them.

    Raises:
        PortNotFoundError: it is not there, or not a serial port.
        PortBusyError: another program holds it.
        LinkError: it may not be opened.
        UsageError: it cannot run at that baud rate.
    """

    def __init__(self, port: str, baud: int = DEFAULT_BAUD) -> None:
        self.port = port
        self.baud = baud
        self.bytes_received = 0
        self.overflow = 0
        self._serial = _open(port, baud)
        self._demultiplexer = Demultiplexer()
        self._pending: dict[_Key, _Take] = {}
        self._records: deque[tuple[int, bytes]] = deque()
        self._arrived: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._lost: LinkLostError | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._reader = threading.Thread(target=self._read, name=f"reader of {port}", daemon=True)
        self._reader.start()

    @property
    def counters(self) -> LineCounters:
        """What the demultiplexer has seen since opening (a copy)."""
        return replace(self._demultiplexer.counters)

    def begin(self, message: bytes) -> "Future[bytes]":
        """Send an SMP message; the future gives the answer of the same sequence number, group and command.

        For threads that no signal interrupts; the others `exchange`.

        Raises:
            LinkLostError: the port vanished.
        """
        key = _key(message)
        answer: Future[bytes] = Future()

        def take(came: bytes | LinkLostError) -> None:
            if answer.set_running_or_notify_cancel():
                if isinstance(came, LinkLostError):
                    answer.set_exception(came)
                else:
                    answer.set_result(came)

        self._pending[key] = take
        answer.add_done_callback(lambda _: self._pending.pop(key, None))
        try:
            self._write(encode_packets(message))
        except LinkError:
            answer.cancel()
            raise
        return answer

    def exchange(self, message: bytes, timeout_s: float) -> bytes:
        """Send an SMP message and wait for its answer.

        Raises:
            LinkTimeoutError: none came in time.
            LinkLostError: the port vanished.
        """
        key = _key(message)
        came: queue.SimpleQueue[bytes | LinkLostError] = queue.SimpleQueue()
        try:
            self._pending[key] = came.put
            self._write(encode_packets(message))
            answer = came.get(timeout=timeout_s)
        except queue.Empty:
            raise self.no_answer(timeout_s) from None
        finally:
            self._pending.pop(key, None)
        if isinstance(answer, LinkLostError):
            raise answer
        return answer

    def no_answer(self, timeout_s: float) -> LinkTimeoutError:
        """The error for a silent wearable."""
        return LinkTimeoutError(
            f"Nothing answered on {self.port} within {timeout_s:g} s; check that a wearable is attached and running."
        )

    def take(self, timeout_s: float) -> tuple[int, bytes] | None:
        """The oldest waiting telemetry record as (host's monotonic clock at arrival in ns, bytes); None if none came.

        Raises:
            LinkLostError: the port vanished and every record that came before has been taken.
        """
        until = time.monotonic() + timeout_s
        while True:
            lost = self._lost  # before the records: none comes after it
            with contextlib.suppress(IndexError):
                return self._records.popleft()
            if lost:
                self._tell()  # others that wait
                raise LinkLostError(str(lost))
            try:
                self._arrived.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                if not self._records:
                    return None

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest record came that nobody took yet, by the host's monotonic clock; None where none waits."""
        with contextlib.suppress(IndexError):
            return self._records[0][0]
        return None

    def drop_records(self) -> None:
        """Forget telemetry that waits, of an earlier stream say."""
        self._records.clear()

    def close(self) -> None:
        """Close it; harmless when closed."""
        if not self._serial.is_open:
            return
        os.write(self._wake_write, b"x")
        self._reader.join()
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._fail(LinkLostError(f"{self.port} was closed; open it again."))

    def _write(self, data: bytes) -> None:
        if self._lost:
            raise LinkLostError(str(self._lost))
        try:
            with self._writing:
                self._serial.write(data)
        except serial.SerialTimeoutException:
            raise LinkTimeoutError(
                f"{self.port} took no bytes for {WRITE_TIMEOUT_S:g} s; check that the wearable is running."
            ) from None
        except (OSError, serial.SerialException) as error:
            self._fail(_vanished(self.port))
            raise _vanished(self.port) from error

    def _read(self) -> None:
        descriptor = self._serial.fileno()
        empty = 0
        while True:
            ready, _, _ = select.select([descriptor, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            try:
                data = os.read(descriptor, READ_SIZE)
            except BlockingIOError:
                continue
            except OSError:
                data, empty = b"", MOST_EMPTY
            now_ns = time.monotonic_ns()
            # Nothing may also be a flush by the other side after `select`.
            empty = 0 if data else empty + 1
            if empty > MOST_EMPTY or (empty and _hung_up(descriptor)):
                self._fail(_vanished(self.port))
                return
            self.bytes_received += len(data)
            for frame in self._demultiplexer.feed(data):
                if isinstance(frame, ManagementFrame):
                    self._answer(frame.message)
                else:
                    self._queue(now_ns, frame.record)

    def _answer(self, message: bytes) -> None:
        try:
            head = SmpHeader.decode(message)
        except ManagementError:
            return
        # The echo of a request (a line in loop-back) is no answer; an answer that comes too late has nobody waiting.
        if head.is_request:
            return
        take = self._pending.pop((head.sequence, head.group, head.command), None)
        if take is not None:
            take(message)

    def _queue(self, now_ns: int, record: bytes) -> None:
        if len(self._records) >= BACKLOG:
            with contextlib.suppress(IndexError):
                self._records.popleft()
                self.overflow += 1
        self._records.append((now_ns, record))
        self._tell()

    def _tell(self) -> None:
        """Have `take` look again."""
        # A word that waits is read after what it is said for, so one is enough.
        if self._arrived.empty():
            self._arrived.put(None)

    def _fail(self, error: LinkLostError) -> None:
        self._lost = self._lost or error
        self._tell()
        with contextlib.suppress(KeyError):
            while True:
                _, take = self._pending.popitem()
                take(error)


def _key(message: bytes) -> _Key:
    head = SmpHeader.decode(message)
    return head.sequence, head.group, head.command


def _open(port: str, baud: int) -> serial.Serial:
    try:
        opened = serial.Serial(port, baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
    except serial.SerialException as error:
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            holder = ports.holder(port) or "another program"
            raise PortBusyError(f"{port} is in use by {holder}; end that program, or use another port.") from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise LinkError(f"You may not open {port}; join the group that owns it (dialout on Debian).") from error
        raise _not_serial(port, error) from error
    except ValueError as error:
        raise UsageError(f"{port} cannot run at {baud} baud; choose another rate with --baud.") from error
    except OSError as error:
        raise _not_serial(port, error) from error
    # Ends whatever a killed predecessor may have left half-sent on the line.
    with contextlib.suppress(OSError, serial.SerialException):
        opened.reset_input_buffer()
        opened.write(b"\n")
    return opened


def _hung_up(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, 0)
    return bool(poller.poll(0))


def _vanished(port: str) -> LinkLostError:
    return LinkLostError(f"{port} vanished; plug the wearable in again and repeat the command.")


def _not_serial(port: str, error: Exception) -> PortNotFoundError:
    # pyserial wraps what termios says without its number.
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error.__context__, termios.error):
        number = error.__context__.args[0]
    reason = os.strerror(number) if number else str(error)
    return PortNotFoundError(
        f"{port} cannot be opened as a serial port ({reason.rstrip('.')}); run `thermo-host ports` to see the others."
    )
