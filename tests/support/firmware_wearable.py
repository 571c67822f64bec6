"""The firmware's main loop within the test's process, on simulated hardware and in simulated time."""

import ctypes
from collections.abc import Mapping
from ctypes import CFUNCTYPE, byref, c_bool, c_size_t, c_void_p
from typing import Any

from firmware_camera import Now, Recover, Transfer, Wait, transfer_on

from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.records import Record
from thermo_core.wire.smp import Op, SmpHeader, SmpMessage, encode_packets
from thermo_sim.hardware import SimulatedHardware

RING = 4096
THERMO = 65

Read = CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_size_t)
Write = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t)
Room = CFUNCTYPE(c_size_t, c_void_p)


class Callbacks(ctypes.Structure):
    """struct harness_callbacks of the harness `wearable`."""

    _fields_ = (
        ("now_us", Now),
        ("wait_until_us", Wait),
        ("i2c_transfer", Transfer),
        ("i2c_recover", Recover),
        ("serial_read", Read),
        ("serial_write", Write),
        ("serial_room", Room),
        ("serial_discard", Recover),
    )


class FirmwareWearable:
    """One wearable; a library holds one at a time.

    Args:
        library: built with the harness `wearable`.
        hardware: with a virtual clock.
        bytes_per_s: how fast the line takes what is sent; None at once.
        keep_flash: start with what the one before left in flash.

    Attributes:
        telemetry: (sequence, record) received so far.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        hardware: SimulatedHardware,
        bytes_per_s: float | None = None,
        keep_flash: bool = False,
    ) -> None:
        self.hardware = hardware
        self.telemetry: list[tuple[int, Record]] = []
        self._library, self._bytes_per_s = library, bytes_per_s
        self._heard, self._ring, self._drained_us = bytearray(), bytearray(), 0
        self._line, self._sequence = Demultiplexer(), 0
        self._answers: list[Any] = []
        bus, clock = hardware.bus, hardware.clock
        self._callbacks = Callbacks(
            Now(lambda _: clock.now_us()),
            Wait(lambda _, time_us: self._wait(time_us)),
            Transfer(lambda _, *arguments: transfer_on(bus, *arguments)),
            Recover(lambda _: bus.recover()),
            Read(lambda _, *arguments: self._read(*arguments)),
            Write(lambda _, *arguments: self._write(*arguments)),
            Room(lambda _: self._room()),
            Recover(lambda _: self._ring.clear()),
        )
        library.harness_start(byref(self._callbacks), c_bool(keep_flash))

    def send(self, data: bytes) -> None:
        """Bytes to the wearable."""
        self._heard += data

    def run(self, seconds: float) -> list[Record]:
        """Let simulated time pass; the records that came."""
        before = len(self.telemetry)
        end_us = self.hardware.clock.now_us() + round(seconds * 1e6)
        while self.hardware.clock.now_us() < end_us:
            self._library.harness_step()
            self._drain()
        return [record for _, record in self.telemetry[before:]]

    def ask(
        self, command: int, body: Mapping[str, Any] | None = None, op: Op = Op.READ, group: int = THERMO
    ) -> dict[str, Any]:
        """The body of the answer to one request."""
        self._sequence = (self._sequence + 1) % 256
        header = SmpHeader(op, group, command, self._sequence)
        self.send(encode_packets(SmpMessage(header, dict(body or {})).encode()))
        end_us = self.hardware.clock.now_us() + 20_000_000
        while not self._answers:
            assert self.hardware.clock.now_us() < end_us, "no answer came"
            self._library.harness_step()
            self._drain()
        message = SmpMessage.decode(self._answers.pop(0))
        assert message.header.sequence == self._sequence
        return dict(message.body)

    def answer(self, message: bytes, within_s: float = 20.0) -> bytes | None:
        """The answer to a message as it is; None where none comes in time."""
        self.send(encode_packets(message))
        end_us = self.hardware.clock.now_us() + round(within_s * 1e6)
        while not self._answers and self.hardware.clock.now_us() < end_us:
            self._library.harness_step()
            self._drain()
        return self._answers.pop(0) if self._answers else None

    def listen(self, lease_ms: int = 3000, **more: int) -> None:
        """Start a stream."""
        assert "err" not in self.ask(1, {"op": 1, "lease_ms": lease_ms, **more}, Op.WRITE)

    def _wait(self, time_us: int) -> None:
        if not self._heard:
            self.hardware.clock.sleep_until_us(time_us)

    def _read(self, data: int, size: int) -> int:
        part = bytes(self._heard[:size])
        del self._heard[:size]
        ctypes.memmove(data, part, len(part))
        return len(part)

    def _write(self, data: int, size: int) -> bool:
        if size > self._room():
            return False
        self._ring += ctypes.string_at(data, size)
        return True

    def _room(self) -> int:
        self._drain()
        return RING - len(self._ring)

    def _drain(self) -> None:
        now_us = self.hardware.clock.now_us()
        count = len(self._ring)
        if self._bytes_per_s is not None:
            count = min(count, int((now_us - self._drained_us) * self._bytes_per_s / 1e6))
            if not count:
                return
        self._drained_us = now_us
        for frame in self._line.feed(bytes(self._ring[:count])):
            if isinstance(frame, ManagementFrame):
                self._answers.append(frame.message)
            elif isinstance(frame, TelemetryFrame):
                header, record = records.decode(frame.record)
                self.telemetry.append((header.sequence, record))
        del self._ring[:count]
