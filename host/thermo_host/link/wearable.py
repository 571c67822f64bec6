"""One session with a wearable: opened, opened again, asked and told (see `management`), and its telemetry."""

import contextlib
import time
from types import TracebackType

import msgspec

from thermo_core.errors import (
    LinkError,
    LinkLostError,
    LinkTimeoutError,
    ManagementError,
    ProtocolVersionError,
    RefusedError,
    UsageError,
)
from thermo_core.wire.baud import BAUDS, DEFAULT_BAUD
from thermo_core.wire.management import Hello, HelloRequest, StreamAnswer, StreamRequest, read
from thermo_core.wire.records import other_version
from thermo_core.wire.smp import ReturnCode
from thermo_core.wire.table import PROTOCOL, Command, StreamOp
from thermo_host.link import ports
from thermo_host.link.clocksync import ClockSync, RoundTrip
from thermo_host.link.foreign import checked_hello, checked_time
from thermo_host.link.lease import TelemetryStream
from thermo_host.link.management import CHANGES, Management
from thermo_host.link.requests import NO_GROUP, RETRIES, Requests
from thermo_host.link.transport import SerialLine

TIMEOUT_S = 2.0
TRY_S = 0.7
"""How long to wait for an answer at a baud rate that is only tried."""


class Wearable(Management):
    """An open session. Use `Wearable.open`, in a `with` block.

    Attributes:
        port: the path that was opened.
        clock: device time to host time and UTC, fed by every request that carries the device's clock.
    """

    def __init__(self, port: str, line: SerialLine, timeout_s: float, clock: ClockSync) -> None:
        super().__init__(port, Requests(line, timeout_s))
        self.clock = clock
        self._line = line
        self._simulated = ports.is_simulated(port)

    @classmethod
    def open(cls, port: str | None = None, *, timeout_s: float = TIMEOUT_S, baud: int | None = None) -> "Wearable":
        """Open a port, alone, and check that a wearable of our protocol version answers.

        Args:
            port: path of the serial port; None where exactly one candidate is there.
            timeout_s: how long to wait for one answer.
            baud: baud rate of a real UART; None tries the documented ones where nothing answers at the usual one.

        Raises:
            PortNotFoundError, AmbiguousPortError, PortBusyError: of the port.
            LinkTimeoutError: nothing there speaks SMP.
            ManagementError: what answers makes no sense.
            ProtocolVersionError: it speaks another version; the message says which side to upgrade.
            UsageError: the port cannot run at that baud rate.
        """
        name = ports.choose(port)
        first = DEFAULT_BAUD if baud is None else baud
        try:
            return cls._at(name, first, timeout_s)
        except (LinkTimeoutError, UsageError) as error:
            # A simulator heeds no rate, and whoever names one wants no other.
            if baud is not None or ports.is_simulated(name):
                raise
            silent = error
        for rate in BAUDS[1:]:
            with contextlib.suppress(LinkTimeoutError, UsageError):
                return cls._at(name, rate, min(timeout_s, TRY_S), retries=0)._patient(timeout_s)
        tried = ", ".join(str(rate) for rate in BAUDS)
        raise LinkTimeoutError(f"{str(silent).rstrip('.')}; at none of {tried} baud does anything.") from silent

    @classmethod
    def open_for_flash(
        cls, port: str | None = None, *, timeout_s: float = TIMEOUT_S, baud: int | None = None
    ) -> "Wearable":
        """The same for a wearable that may have no firmware: its bootloader does not say who it is.

        Raises:
            as `open`.
        """
        try:
            return cls.open(port, timeout_s=timeout_s, baud=baud)
        except RefusedError as error:
            if (error.group, error.code) != (NO_GROUP, ReturnCode.NOT_SUPPORTED):
                raise
        name = ports.choose(port)
        return cls(name, SerialLine(name, DEFAULT_BAUD if baud is None else baud), timeout_s, ClockSync())

    @classmethod
    def _at(cls, port: str, baud: int, timeout_s: float, retries: int = RETRIES) -> "Wearable":
        wearable = cls(port, SerialLine(port, baud), timeout_s, ClockSync())
        try:
            wearable.hello(retries)
        except BaseException:
            wearable.close()
            raise
        return wearable

    def __enter__(self) -> "Wearable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port; harmless when closed."""
        self._line.close()

    @property
    def line(self) -> SerialLine:
        """The line under it, for its counters."""
        return self._line

    def hello(self, retries: int = RETRIES) -> Hello:
        """Who it is and what it has; asked again so often when no answer comes.

        Raises:
            ProtocolVersionError: it speaks another version.
            ManagementError: it says what cannot be.
        """
        for _ in range(CHANGES):
            said = self._hello(0, retries)
            sensors = said.sensors
            while len(sensors) < said.sensor_count:
                more = self._hello(len(sensors), retries)
                if more.profile_sha256 != said.profile_sha256 or more.time_us < said.time_us:
                    break  # it was restarted in between
                if not more.sensors:
                    raise ManagementError(
                        f"The wearable on {self.port} has {said.sensor_count} sensors and tells of {len(sensors)}; "
                        "update its software."
                    )
                sensors += more.sensors
            else:
                return msgspec.structs.replace(said, sensors=sensors)
        raise ManagementError(f"The wearable on {self.port} restarts again and again; look at its supply and its log.")

    def _hello(self, first: int, retries: int) -> Hello:
        sent_ns = time.monotonic_ns()
        body = self._requests.read(Command.HELLO, HelloRequest(first=first).to_map() if first else {}, retries)
        received_ns = time.monotonic_ns()
        spoken = body.get("protocol")
        if isinstance(spoken, int) and spoken != PROTOCOL:
            raise ProtocolVersionError(f"{self.port}: {other_version(spoken)}")
        hello = checked_hello(read(Hello, body), self.port)
        self.clock.add(RoundTrip(sent_ns, hello.time_us, received_ns))
        return hello

    def stream(self, lease_s: float = 3.0, key_interval: int | None = None) -> TelemetryStream:
        """Telemetry while the `with` block lasts; requests go on working meanwhile.

        Args:
            lease_s: how long the device may go on without hearing from this host.
            key_interval: blocks from one key frame to the next; None leaves it to the device.
        """
        lease_ms = round(lease_s * 1000)
        start = StreamRequest(op=StreamOp.START, lease_ms=lease_ms, key_interval=key_interval)
        return TelemetryStream(
            self._line,
            self.clock,
            start=lambda: self._lease(start),
            renew=lambda: self._lease(StreamRequest(op=StreamOp.RENEW, lease_ms=lease_ms)),
            stop=lambda: self._lease(StreamRequest(op=StreamOp.STOP)),
            every_s=lease_s / 4,
        )

    def send_keys(self, lease_s: float = 3.0) -> None:
        """Have a stream that runs begin anew: its next blocks are key frames, which whoever joins now can read.

        Raises:
            LinkError: it does not answer, or refuses.
        """
        self._lease(StreamRequest(op=StreamOp.START, lease_ms=round(lease_s * 1000)))

    def reset(self, timeout_s: float = 30.0) -> Hello:
        """Restart the device and wait until it answers again."""
        self._requests.standard.reset()
        return self.reopen(timeout_s)

    def reopen(self, timeout_s: float) -> Hello:
        """Close the port and open it until the wearable answers, after a reset or an unplug.

        Args:
            timeout_s: give up after so long.

        Raises:
            LinkLostError: it did not come back in time.
        """
        until = time.monotonic() + timeout_s
        pause_s = 0.05
        while True:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.5)
            try:
                return self.reopen_once()
            except (ProtocolVersionError, RefusedError):
                raise
            except LinkError as error:
                if time.monotonic() > until:
                    raise LinkLostError(
                        f"The wearable on {self.port} did not come back within {timeout_s:g} s; check its cable."
                    ) from error

    def reopen_once(self) -> Hello:
        """Close the port, open it again and say hello, in one attempt.

        Raises:
            LinkError: it is not there, or does not answer yet.
        """
        self.close()
        ports.check(self.port, simulated=self._simulated)
        self._line = SerialLine(self.port, self._line.baud)
        self._requests = Requests(self._line, self._requests.timeout_s)
        return self.hello()

    def _patient(self, timeout_s: float) -> "Wearable":
        """The same session, which waits so long for each answer from now on."""
        self._requests = Requests(self._line, timeout_s)
        return self

    def _lease(self, request: StreamRequest) -> None:
        sent_ns = time.monotonic_ns()
        answer = read(StreamAnswer, self._requests.write(Command.STREAM, request.to_map()))
        self.clock.add(RoundTrip(sent_ns, checked_time(answer.time_us, self.port), time.monotonic_ns()))
