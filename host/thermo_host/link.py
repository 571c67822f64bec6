"""One session with a wearable: who it is, what it holds, what it can be told, and its telemetry."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

import numpy as np
from smp.image_management import ImageState
from smpclient.requests.image_management import ImageErase, ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite

from thermo_core.correction import MAX_BYTES as MAX_CORRECTION
from thermo_core.correction import Correction
from thermo_core.errors import (
    EepromError,
    LinkError,
    LinkLostError,
    LinkTimeoutError,
    ManagementError,
    ProtocolVersionError,
    RefusedError,
    UsageError,
)
from thermo_core.frames import Words
from thermo_core.profile import Profile, decode_profile
from thermo_core.wire import management
from thermo_core.wire.baud import BAUDS, DEFAULT_BAUD
from thermo_core.wire.management import (
    Chunk,
    Command,
    Counters,
    GroupError,
    Hello,
    Rate,
    ReadChunk,
    SelfTest,
    SelfTestResult,
    StreamAnswer,
    StreamOp,
    StreamRequest,
)
from thermo_core.wire.smp import Group
from thermo_host import ports
from thermo_host.clocksync import ClockSync, RoundTrip
from thermo_host.foreign import checked_hello, checked_time, cleaned
from thermo_host.lease import TelemetryStream
from thermo_host.requests import RETRIES, Progress, Requests
from thermo_host.transport import SerialLine

TIMEOUT_S = 2.0
TRY_S = 0.7
"""How long to wait for an answer at a baud rate that is only tried."""
SELF_TEST_S = 30.0
STORE_S = 10.0
SMALLEST_PART = 16
CHANGES = 3
"""Attempts to read something that changes meanwhile."""
MAX_PROFILE = 64 << 10
CHUNK = 384
"""Bytes of EEPROM or calibration in one message: within the buffer of any mcumgr server."""


class Wearable:
    """An open session. Use `Wearable.open`, in a `with` block.

    Attributes:
        port: the path that was opened.
        clock: device time to host time and UTC, fed by every request that carries the device's clock.
    """

    def __init__(self, port: str, line: SerialLine, timeout_s: float, clock: ClockSync) -> None:
        self.port = port
        self.clock = clock
        self._line = line
        self._requests = Requests(line, timeout_s)
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
        """Who it is and what it has; asked again so often when no answer comes."""
        sent_ns = time.monotonic_ns()
        body = self._requests.read(Command.HELLO, retries=retries)
        received_ns = time.monotonic_ns()
        spoken = body.get("protocol")
        if isinstance(spoken, int) and spoken != management.PROTOCOL:
            older = "the wearable's software" if spoken < management.PROTOCOL else "thermo-edge on this host"
            raise ProtocolVersionError(
                f"The wearable on {self.port} speaks version {spoken} of the protocol and this host "
                f"{management.PROTOCOL}; upgrade {older}."
            )
        hello = checked_hello(Hello.from_map(body), self.port)
        self.clock.add(RoundTrip(sent_ns, hello.time_us, received_ns))
        return hello

    def echo(self, text: str) -> str:
        """What the wearable echoes: `text`, on a good line."""
        return self._requests.standard(EchoWrite(d=text)).r

    def eeprom(self, sensor: int = 0) -> Words:
        """(832,) uint16, the picture sensor's EEPROM as the device verified it.

        Raises:
            EepromError: it sends something of another size.
        """
        return self.constants(sensor)[0]

    def constants(self, sensor: int = 0) -> tuple[Words, int]:
        """The same, and the number that the device gave these constants, which subpages made with them carry.

        Raises:
            EepromError: it sends something of another size.
        """
        data, generation = self._read_blob(Command.EEPROM, ReadChunk(sensor=sensor), management.EEPROM_BYTES)
        if len(data) != management.EEPROM_BYTES:
            raise EepromError(
                f"The wearable on {self.port} sent an EEPROM of {len(data)} bytes where {management.EEPROM_BYTES} belong; "
                "reset it, and update its software if it stays so."
            )
        return np.frombuffer(data, dtype="<u2").astype(np.uint16), generation

    def profile(self) -> Profile:
        """What kind of wearable it is: sensors, thermistor circuit, preprocessing, labels.

        Raises:
            BundleError: it sends a profile that this host does not understand.
        """
        return decode_profile(self.profile_bytes(), f"The profile on {self.port}")

    def profile_bytes(self) -> bytes:
        """The same as the device sends it: canonical CBOR."""
        return self._read_blob(Command.PROFILE, ReadChunk(), MAX_PROFILE)[0]

    def calibration(self, slot: int = 0) -> Correction | None:
        """Calibration stored on the device: slot 0 the current, 1 the one before; None where there is none.

        Raises:
            CorrectionError: it is damaged.
        """
        data = self.calibration_bytes(slot)
        return Correction.from_bytes(data) if data else None

    def calibration_bytes(self, slot: int = 0) -> bytes:
        """The same as the device stores it; b"" where there is none."""
        try:
            return self._read_blob(Command.CALIBRATION, ReadChunk(slot=slot), MAX_CORRECTION)[0]
        except RefusedError as error:
            if (error.group, error.code) == (Group.THERMO, GroupError.NO_CALIBRATION):
                return b""
            raise

    def write_calibration(self, correction: Correction, progress: Progress | None = None) -> None:
        """Store a calibration; the device checks it whole, keeps the one before, and uses it at once.

        Raises:
            RefusedError: it belongs to another sensor, or cannot be stored.
        """
        data = correction.to_bytes()
        for at in range(0, len(data), CHUNK):
            chunk = Chunk(at, len(data), data[at : at + CHUNK])
            self._requests.write(Command.CALIBRATION, chunk.to_map(), timeout_s=STORE_S)
            if progress is not None:
                progress(min(at + CHUNK, len(data)), len(data))

    def rollback(self) -> None:
        """Exchange the current calibration for the one before.

        Raises:
            RefusedError: there is none before.
        """
        self._requests.write(Command.ROLLBACK, {})

    def self_test(self) -> tuple[SelfTestResult, ...]:
        """What the device found out about itself, one result a part."""
        body = self._requests.write(Command.SELF_TEST, {}, timeout_s=SELF_TEST_S)
        return cleaned(SelfTest.from_map(body)).results

    def counters(self) -> Mapping[str, int]:
        """What the device has counted since it started, faults first of all."""
        counters = Counters.from_map(self._requests.read(Command.COUNTERS)).counters
        return {cleaned(name): value for name, value in counters.items()}

    def set_rate(self, rate_hz: float) -> float:
        """Set the subpages per second until the next reset; returns what the sensor does."""
        return Rate.from_map(self._requests.write(Command.RATE, Rate(rate_hz).to_map())).rate_hz

    def stream(self, lease_s: float = 3.0, key_interval: int | None = None) -> TelemetryStream:
        """Telemetry while the `with` block lasts; requests go on working meanwhile.

        Args:
            lease_s: how long the device may go on without hearing from this host.
            key_interval: subpages from one key frame to the next; None leaves it to the device.
        """
        lease_ms = round(lease_s * 1000)
        start = StreamRequest(StreamOp.START, lease_ms, key_interval)
        return TelemetryStream(
            self._line,
            self.clock,
            start=lambda: self._lease(start),
            renew=lambda: self._lease(StreamRequest(StreamOp.RENEW, lease_ms)),
            stop=lambda: self._lease(StreamRequest(StreamOp.STOP)),
            every_s=lease_s / 4,
        )

    def images(self) -> list[ImageState]:
        """The image slots."""
        return list(self._requests.standard(ImageStatesRead()).images)

    def upload(self, data: bytes, progress: Progress = lambda done, total: None) -> None:
        """Upload a signed image into the free slot, from where an earlier upload of the same bytes stopped.

        Raises:
            RefusedError: with the reason.
        """
        self._requests.upload(data, progress)

    def test_image(self, sha256: bytes) -> None:
        """Have the next reset start the image with this hash, once."""
        self._requests.standard(ImageStatesWrite(hash=sha256))

    def confirm_image(self, sha256: bytes | None = None) -> None:
        """Keep the image with this hash, the running one when None."""
        self._requests.standard(ImageStatesWrite(hash=sha256, confirm=True))

    def erase_image(self) -> None:
        """Erase the slot that does not run."""
        self._requests.standard(ImageErase())

    def reset(self, timeout_s: float = 30.0) -> Hello:
        """Restart the device and wait until it answers again."""
        self._requests.standard(ResetWrite())
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
        answer = StreamAnswer.from_map(self._requests.write(Command.STREAM, request.to_map()))
        self.clock.add(RoundTrip(sent_ns, checked_time(answer.time_us, self.port), time.monotonic_ns()))

    def _read_blob(self, command: Command, which: ReadChunk, most: int) -> tuple[bytes, int]:
        """All parts of something of at most `most` bytes, of one generation, and which."""
        for _ in range(CHANGES):
            data = bytearray()
            first: Chunk | None = None
            while True:
                chunk = Chunk.from_map(self._requests.read(command, replace(which, offset=len(data)).to_map()))
                first = first or chunk
                if chunk.generation != first.generation:
                    break
                if chunk.length > most:
                    raise ManagementError(
                        f"{self.port} announces {chunk.length} bytes for {command.name.lower()} where at most {most} can be; "
                        "reset the wearable, and update its software if it stays so."
                    )
                left = first.length - len(data)
                # Small parts and a length that grows would keep this host busy for as long as a device likes.
                whole = chunk.offset == len(data) and len(chunk.data) >= min(SMALLEST_PART, left)
                if not whole or chunk.length != first.length:
                    raise ManagementError(f"{self.port} answered with another part than was asked for; try again.")
                data += chunk.data
                if len(data) == first.length:
                    return bytes(data), first.generation
        raise ManagementError(
            f"{self.port} had other sensors put in {CHANGES} times while their EEPROM was read; check that the sensor sits firmly."
        )
