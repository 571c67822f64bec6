"""PICOBOOT, the vendor interface of the RP2040's boot ROM over USB (RP2040 datasheet, 2.8.5): erase, write, read back, reboot.

A command is 32 bytes to the bulk OUT endpoint: magic, token, number, size of its arguments with bit 7 where data comes in, size of the data, arguments.
The data follow, then an empty packet the other way says that it is done; where it stalls, a control request tells why.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from thermo_core.errors import AmbiguousPortError, ImageFormatError, LinkError, PortNotFoundError, UsageError
from thermo_core.firmware.segments import filled
from thermo_core.firmware.uf2 import PAYLOAD_BYTES, SECTOR_BYTES
from thermo_host.bootmode.firmware_file import Firmware

VENDOR, PRODUCT = 0x2E8A, 0x0003
CHIP = "rp2040"
FLASH = range(0x10000000, 0x11000000)
_INTERFACE_CLASS = 0xFF
_MAGIC = 0x431FD10B
_COMMAND = struct.Struct("<IIBBHI16s")
_STATUS = struct.Struct("<IIBB6x")
_EXCLUSIVE, _REBOOT, _ERASE, _WRITE, _EXIT_XIP, _READ = 0x01, 0x02, 0x03, 0x05, 0x06, 0x84
_INTERFACE_RESET, _COMMAND_STATUS = 0x41, 0x42
_TO_INTERFACE, _FROM_INTERFACE = 0x41, 0xC1
_CHUNK = 16 * SECTOR_BYTES
_REBOOT_MS = 200
_TIMEOUT_MS = 10_000
"""A sector may take 400 ms to be erased, and a request erases sixteen."""
STATUSES: Mapping[int, str] = MappingProxyType(
    {
        1: "it does not know the command",
        2: "the command had the wrong length",
        3: "the size is no multiple of what it takes",
        4: "the address is no flash or RAM of it",
        5: "the address is not aligned",
        6: "a write came amid another",
        7: "it is about to start",
        8: "it does not say why",
    }
)
Report = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a board's interface is found.

    Attributes:
        interface: its number.
        to_board: address of the bulk OUT endpoint.
        from_board: address of the bulk IN endpoint.
    """

    interface: int
    to_board: int
    from_board: int


def find(backend: Any = None) -> list[Any]:
    """Boards in boot mode, as devices of pyusb.

    Raises:
        UsageError: pyusb, or the library under it, is not installed.
    """
    try:
        import usb.core
    except ImportError as error:
        raise UsageError("PICOBOOT needs pyusb; install thermo-edge[usb].") from error
    try:
        return list(usb.core.find(find_all=True, idVendor=VENDOR, idProduct=PRODUCT, backend=backend))
    except usb.core.NoBackendError as error:
        raise UsageError("PICOBOOT needs libusb; install libusb-1.0-0, or use --via uf2.") from error


def choose(serial: str | None, backend: Any = None) -> Any:
    """The board with a serial number, or the only one in boot mode.

    Raises:
        UsageError: pyusb or libusb is not installed.
        PortNotFoundError: there is none.
        AmbiguousPortError: there are several.
    """
    found = find(backend)
    if serial is not None:
        found = [device for device in found if serial_of(device) == serial]
    if not found:
        which = f" with serial number {serial}" if serial is not None else ""
        raise PortNotFoundError(f"No RP2040{which} is in boot mode; hold BOOTSEL while you plug it in.")
    if len(found) > 1:
        raise AmbiguousPortError(
            f"Several RP2040 are in boot mode; name one of {', '.join(serial_of(one) for one in found)}."
        )
    return found[0]


def serial_of(device: Any) -> str:
    """Serial number of a board, "" where it cannot be read."""
    try:
        return str(device.serial_number or "")
    except (ValueError, OSError, NotImplementedError):
        return ""


class Picoboot:
    """A board in boot mode, held for this program alone. Use it in a `with` block.

    Args:
        device: of pyusb.

    Raises:
        LinkError: it has no such interface, or another program holds it.
    """

    def __init__(self, device: Any) -> None:
        import usb.core
        import usb.util

        self._device, self._usb, self._token = device, usb, 0
        with self._said("open it"):
            self._endpoints = _endpoints(device, usb)
            usb.util.claim_interface(device, self._endpoints.interface)

    def __enter__(self) -> "Picoboot":
        with self._said("reset its interface"):
            self._device.ctrl_transfer(_TO_INTERFACE, _INTERFACE_RESET, 0, self._endpoints.interface, None, _TIMEOUT_MS)
        self._command("be held", _EXCLUSIVE, b"\1")
        self._command("leave its flash to us", _EXIT_XIP)
        return self

    def __exit__(self, *_: object) -> None:
        self._usb.util.dispose_resources(self._device)

    def erase(self, address: int, size: int) -> None:
        """Erase whole sectors."""
        self._command(f"erase {size} bytes at {address:#x}", _ERASE, struct.pack("<II", address, size))

    def write(self, address: int, data: bytes) -> None:
        """Program whole pages of 256 bytes, which are erased."""
        self._command(f"write {len(data)} bytes at {address:#x}", _WRITE, struct.pack("<II", address, len(data)), data)

    def read(self, address: int, size: int) -> bytes:
        """Read flash back."""
        return self._command(
            f"read {size} bytes at {address:#x}", _READ, struct.pack("<II", address, size), expected=size
        )

    def reboot(self) -> None:
        """Start what is in its flash."""
        self._command("start", _REBOOT, struct.pack("<III", 0, 0x20042000, _REBOOT_MS))

    def _command(self, what: str, number: int, arguments: bytes = b"", data: bytes = b"", expected: int = 0) -> bytes:
        self._token += 1
        size = expected or len(data)
        ends = self._endpoints
        with self._said(what):
            head = _COMMAND.pack(_MAGIC, self._token, number, len(arguments), 0, size, arguments.ljust(16, b"\0"))
            self._device.write(ends.to_board, head, _TIMEOUT_MS)
            if data:
                self._device.write(ends.to_board, data, _TIMEOUT_MS)
            if expected:
                answer = bytes(self._device.read(ends.from_board, expected, _TIMEOUT_MS))
                self._device.write(ends.to_board, b"", _TIMEOUT_MS)
                if len(answer) != expected:
                    raise LinkError(
                        f"The board sent {len(answer)} of {expected} bytes when asked to {what}; flash it again."
                    )
                return answer
            self._device.read(ends.from_board, 1, _TIMEOUT_MS)
        return b""

    def _said(self, what: str) -> "_Said":
        return _Said(self, what)

    def why(self) -> str:
        """What the board says of the last command that it did not do; "" where it says nothing."""
        try:
            answer = self._device.ctrl_transfer(
                _FROM_INTERFACE, _COMMAND_STATUS, 0, self._endpoints.interface, _STATUS.size, _TIMEOUT_MS
            )
            return STATUSES.get(_STATUS.unpack(bytes(answer))[1], "")
        except (self._usb.core.USBError, struct.error, AttributeError):
            return ""


class _Said:
    """Turns what pyusb raises into a sentence."""

    def __init__(self, board: Picoboot, what: str) -> None:
        self._board, self._what = board, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: object) -> None:
        usb = self._board._usb
        if isinstance(value, usb.core.USBError):
            why = self._board.why() or value.strerror or "USB error"
            raise LinkError(
                f"The board in boot mode did not {self._what} ({why}); hold BOOTSEL, plug it in again and repeat, and see that you may use USB devices."
            ) from value


def _endpoints(device: Any, usb: Any) -> Endpoints:
    configuration = device.get_active_configuration()
    interface = usb.util.find_descriptor(configuration, bInterfaceClass=_INTERFACE_CLASS)
    if interface is None:
        raise LinkError("The board in boot mode has no PICOBOOT interface; use --via uf2.")
    ends = {usb.util.endpoint_direction(one.bEndpointAddress): one.bEndpointAddress for one in interface}
    return Endpoints(interface.bInterfaceNumber, ends[usb.util.ENDPOINT_OUT], ends[usb.util.ENDPOINT_IN])


def flash(device: Any, firmware: Firmware, progress: Report = lambda done, total: None) -> int:
    """Erase, write, read back and start a firmware; bytes that were programmed.

    Raises:
        ImageFormatError: it is for another chip, or for what is not flash.
        LinkError: the board failed, or holds something else than was written.
    """
    if firmware.chip not in (None, CHIP):
        raise ImageFormatError(
            f"{firmware.path} is for {firmware.chip}, and the board has an RP2040; build with BOARD={CHIP}."
        )
    segments = filled(firmware.segments, SECTOR_BYTES)
    for segment in segments:
        if segment.address not in FLASH or segment.end - 1 not in FLASH:
            raise ImageFormatError(
                f"{firmware.path} has bytes at {segment.address:#x}, which is no flash of an RP2040; build with BOARD={CHIP}."
            )
    total, done = sum(len(segment.data) for segment in segments), 0
    with Picoboot(device) as board:
        for segment in segments:
            for start in range(0, len(segment.data), _CHUNK):
                address, data = segment.address + start, segment.data[start : start + _CHUNK]
                board.erase(address, len(data))
                board.write(address, data)
                if board.read(address, len(data)) != data:
                    raise LinkError(
                        f"The flash at {address:#x} holds something else than was written; flash again, and replace the board where that repeats."
                    )
                done += len(data)
                progress(done, total)
        board.reboot()
    return total


assert SECTOR_BYTES % PAYLOAD_BYTES == 0
