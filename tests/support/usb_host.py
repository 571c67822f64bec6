"""A USB host for an emulated RP2040, by the books: enumeration, control transfers, and bulk packets that wait to be asked for.

rp2040py's own model of a host completes every transfer that is asked for at once, with nothing where there is nothing; a real
one lets a device wait.
"""

import struct
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from rp2040_bench import Bench
from virtual_host import Line

PATIENCE_US = 500_000
PACKET = 64
GET_STATUS, SET_ADDRESS, GET_DESCRIPTOR, SET_CONFIGURATION = 0, 5, 6, 9
DEVICE, CONFIGURATION, STRING = 1, 2, 3
IN, STANDARD, CLASS, INTERFACE = 0x80, 0x00, 0x20, 0x01
SET_LINE_CODING, GET_LINE_CODING, SET_CONTROL_LINE_STATE = 0x20, 0x21, 0x22
_STALL = 1 << 11
_EP0_IN_BUFFER = 0x80


class StalledError(Exception):
    """The device refuses a request."""


@dataclass(frozen=True)
class Endpoint:
    """As its descriptor has it."""

    address: int
    attributes: int
    packet: int


class UsbHost:
    """A host that has found the device on its port.

    Args:
        bench: with the board.
    """

    def __init__(self, bench: Bench) -> None:
        self._machine = bench.machine
        self._usb = bench.machine.chip.usb_ctrl
        self._came: dict[int, list[bytes]] = defaultdict(list)
        self._wanted: dict[int, int] = {}
        self._going: dict[int, deque[bytes]] = defaultdict(deque)
        self._reset = False
        self._usb.on_usb_enabled = self._usb.reset_device
        self._usb.on_reset_received = self._was_reset
        self._usb.on_endpoint_write = lambda endpoint, data: self._came[endpoint].append(bytes(data))
        self._usb.on_endpoint_read = self._may_send

    def plug(self) -> None:
        """Wait until the device has seen a reset of the bus."""
        self._reset = False
        self._usb.reset_device()
        assert self._machine.run_until(lambda: self._reset, PATIENCE_US), "the device does not see the host"

    def control_in(self, kind: int, request: int, value: int, index: int, length: int) -> bytes:
        """A request that has an answer.

        Raises:
            StalledError: it is refused.
        """
        self._setup(IN | kind, request, value, index, length)

        def whole() -> bool:
            packets = self._came[0]
            return sum(map(len, packets)) >= length or bool(packets and len(packets[-1]) < PACKET)

        self._wait(whole)
        answer = b"".join(self._came.pop(0))
        self._send(0, b"")  # that it came
        self._machine.run_until(lambda: not self._going[0], PATIENCE_US)
        return answer

    def control_out(self, kind: int, request: int, value: int, index: int, data: bytes = b"") -> None:
        """A request with data or without.

        Raises:
            StalledError: it is refused.
        """
        self._setup(kind, request, value, index, len(data))
        if data:
            self._send(0, data)
        self._wait(lambda: bool(self._came[0]))
        assert self._came.pop(0) == [b""]

    def descriptor(self, kind: int, index: int = 0, length: int = 255, language: int = 0) -> bytes:
        """One descriptor."""
        return self.control_in(STANDARD, GET_DESCRIPTOR, kind << 8 | index, language, length)

    def text(self, index: int) -> str:
        """A string descriptor."""
        data = self.descriptor(STRING, index, language=0x0409)
        assert data[0] == len(data) and data[1] == STRING
        return data[2:].decode("utf-16-le")

    def configure(self) -> list[Endpoint]:
        """Give an address, choose the configuration; its endpoints."""
        self.control_out(STANDARD, SET_ADDRESS, 5, 0)
        (total,) = struct.unpack("<H", self.descriptor(CONFIGURATION, length=9)[2:4])
        data = self.descriptor(CONFIGURATION, length=total)
        assert len(data) == total
        found, at = [], 0
        while at < len(data):
            if data[at + 1] == 5:
                found.append(Endpoint(data[at + 2], data[at + 3], int.from_bytes(data[at + 4 : at + 6], "little")))
            at += data[at]
        self.control_out(STANDARD, SET_CONFIGURATION, 1, 0)
        return found

    def open_port(self, out_endpoint: int, in_endpoint: int) -> Line:
        """What a program does that opens the serial port; the line it has then."""
        self.control_out(CLASS | INTERFACE, SET_LINE_CODING, 0, 0, struct.pack("<IBBB", 1_000_000, 0, 0, 8))
        self.control_out(CLASS | INTERFACE, SET_CONTROL_LINE_STATE, 3, 0)

        def send(data: bytes) -> None:
            for at in range(0, len(data), PACKET):
                self._send(out_endpoint, data[at : at + PACKET])

        return Line(send, lambda: b"".join(self._came.pop(in_endpoint, [])))

    def close_port(self) -> None:
        """What a program does that closes it."""
        self.control_out(CLASS | INTERFACE, SET_CONTROL_LINE_STATE, 0, 0)

    def pending(self, endpoint: int) -> int:
        """Packets that the device has not taken."""
        return len(self._going[endpoint])

    def _setup(self, kind: int, request: int, value: int, index: int, length: int) -> None:
        self._machine.run_until(lambda: False, 1_000)
        self._came.pop(0, None)
        self._wanted.pop(0, None)
        self._going[0].clear()
        self._usb._ep_stall_arm = 0  # as silicon has it: a SETUP disarms what refuses
        self._usb.send_setup_packet(struct.pack("<BBHHH", kind, request, value, index, length))

    def _wait(self, condition: Callable[[], bool]) -> None:
        def answered() -> bool:
            return condition() or self._stalled()

        assert self._machine.run_until(answered, PATIENCE_US), "the device does not answer"
        if self._stalled():
            raise StalledError

    def _stalled(self) -> bool:
        memory = self._machine.chip.usb_dpram
        armed = self._usb._ep_stall_arm & 1
        return bool(armed and int.from_bytes(memory[_EP0_IN_BUFFER : _EP0_IN_BUFFER + 4], "little") & _STALL)

    def _was_reset(self) -> None:
        self._reset = True

    def _may_send(self, endpoint: int, size: int) -> None:
        self._wanted[endpoint] = size
        self._move(endpoint)

    def _send(self, endpoint: int, data: bytes) -> None:
        self._going[endpoint].append(data)
        self._move(endpoint)

    def _move(self, endpoint: int) -> None:
        if self._going[endpoint] and endpoint in self._wanted:
            size = self._wanted.pop(endpoint)
            data = self._going[endpoint].popleft()
            assert len(data) <= size, "the device has no room for what it asked for"
            self._usb.endpoint_read_done(endpoint, data)
