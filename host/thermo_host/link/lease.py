"""Telemetry under a lease: renewed by a thread while somebody listens, stopped when they leave."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from thermo_core.errors import LinkError, LinkLostError, LinkTimeoutError, ManagementError, RecordError, RefusedError
from thermo_core.wire import records
from thermo_core.wire.records import sequence_gap
from thermo_host.link.clocksync import ClockSync
from thermo_host.link.foreign import LONGEST_UPTIME_US, cleaned_record
from thermo_host.link.items import Telemetry
from thermo_host.link.transport import SerialLine

SILENCE_S = 5.0
"""Silence after which a running stream counts as lost."""


class TelemetryStream:
    """A running stream; iterate over it, or `get` with a timeout. Made by `Wearable.stream`.

    Leaving the `with` block stops the stream at the device.

    Attributes:
        lost: records that the line lost, by their sequence numbers.
        refused: records whose bytes are intact but make no sense.
        restarts: times that the lease had run out, because this host was stopped or because the device restarted.
    """

    def __init__(
        self,
        line: SerialLine,
        clock: ClockSync,
        start: Callable[[], None],
        renew: Callable[[], None],
        stop: Callable[[], None],
        every_s: float,
    ) -> None:
        self.lost = 0
        self.refused = 0
        self.restarts = 0
        self._line = line
        self._clock = clock
        self._start = start
        self._renew = renew
        self._stop = stop
        self._every_s = every_s
        self._last_sequence: int | None = None
        self._ended = threading.Event()
        self._failure: LinkError | None = None
        self._renewer = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> "TelemetryStream":
        self._line.drop_records()
        try:
            self._start()
            self._renewer.start()
        except BaseException:
            # The answer may have been lost after the device started, or Ctrl-C came in between.
            self._ended.set()
            if self._renewer.ident is not None:
                self._renewer.join()
            with contextlib.suppress(LinkError):
                self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewer.join()
        # A port that is gone is quiet, and a device that does not hear this stops when the lease ends.
        with contextlib.suppress(LinkError):
            self._stop()

    def __iter__(self) -> Iterator[Telemetry]:
        """Records without end.

        Raises:
            LinkLostError: the port vanished, or the wearable fell silent.
        """
        heard = time.monotonic()
        while True:
            received = self.get(SILENCE_S)
            if received is not None:
                heard = time.monotonic()
                yield received
            elif time.monotonic() - heard >= SILENCE_S:
                raise LinkLostError(
                    f"{self._line.port} has been silent for {SILENCE_S:g} s; check the wearable and repeat the command."
                )

    def get(self, timeout_s: float) -> Telemetry | None:
        """The next record, None where none came in time.

        Raises:
            LinkLostError: the port vanished.
            LinkError: the wearable refused to renew the lease.
            ProtocolVersionError: it speaks another version.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            taken = self._line.take(timeout_s)
            if taken is None:
                return None
            host_ns, data = taken
            try:
                header, record = records.decode(data)
            except RecordError:
                self.refused += 1
                continue
            if self._last_sequence is not None:
                self.lost += sequence_gap(self._last_sequence, header.sequence)
            self._last_sequence = header.sequence
            if header.time_us > LONGEST_UPTIME_US:
                self.refused += 1
                continue
            received_ns = host_ns + self._clock.utc_minus_monotonic_ns
            captured_ns = self._clock.utc_ns(header.time_us)
            return Telemetry(received_ns, captured_ns, header, cleaned_record(record), data)

    def _keep(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._keep_once()
            except (LinkTimeoutError, ManagementError):
                # One answer lost on a noisy line; the next renewal comes before the lease ends.
                continue
            except LinkLostError:
                return
            except LinkError as error:
                self._failure = error
                return

    def _keep_once(self) -> None:
        try:
            self._renew()
        except RefusedError:
            self.restarts += 1  # before anything can come of the new lease
            self._start()
