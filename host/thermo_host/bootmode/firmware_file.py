"""A firmware as a person names it: an ELF file, a UF2 file, plain bytes, or a signed firmware with the bootloader that it starts behind."""

from dataclasses import dataclass
from pathlib import Path

from thermo_core.errors import ImageFormatError, ImageTooLargeError, SignatureError, UsageError
from thermo_core.file_kinds import known_kind
from thermo_core.files import read_file
from thermo_core.firmware import elf, first_flash, uf2
from thermo_core.firmware.archive import is_firmware_file, unpack
from thermo_core.firmware.segments import MAX_BYTES, Segment, Segments, joined

MAX_FILE = 64 << 20
"""An ELF file holds what a debugger wants as well."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """What a file puts into flash.

    Attributes:
        path: of the file.
        segments: what lies where.
        chip: it is for, as `uf2.FAMILIES` names it; None where the file does not say.
    """

    path: Path
    segments: Segments
    chip: str | None

    @property
    def bytes_count(self) -> int:
        """Bytes that are programmed."""
        return sum(len(segment.data) for segment in self.segments)


def load(path: Path, address: int | None = None) -> Firmware:
    """Read a file and check its structure.

    Args:
        path: of the file.
        address: where plain bytes belong.

    Raises:
        StorageError: it cannot be read.
        ImageFormatError, SignatureError: it is damaged, or holds no firmware.
        ImageTooLargeError: no flash holds it.
        UsageError: it holds plain bytes, and nobody says where they belong; or it says so itself, and otherwise.
    """
    if path.is_file() and path.stat().st_size > MAX_FILE:
        raise ImageTooLargeError(
            f"{path} has more than {MAX_FILE >> 20} MB, more than any firmware; name a .zip with a bootloader, an .elf, a .uf2 or a .bin."
        )
    data = read_file(path)
    try:
        if uf2.is_uf2(data):
            held = uf2.decode(data)
            if held.family is not None and held.chip is None:
                raise ImageFormatError(f"it is for chip family {held.family:#010x}, of which no board here is.")
            firmware = Firmware(path, held.segments, held.chip)
        elif is_firmware_file(data):
            signed = unpack(data)
            chip = signed.board if signed.board in uf2.FAMILIES else None
            firmware = Firmware(path, first_flash.segments(signed), chip)
        elif elf.is_elf(data):
            firmware = Firmware(path, elf.segments(data), None)
        else:
            return Firmware(path, _plain(path, data, address), None)
    except (ImageFormatError, SignatureError) as error:
        raise type(error)(f"{path} cannot be flashed: {error}") from error
    if address is not None:
        raise UsageError(f"{path} says itself where its bytes belong; leave --address out.")
    return firmware


def _plain(path: Path, data: bytes, address: int | None) -> Segments:
    if kind := known_kind(data):
        raise ImageFormatError(f"it is {kind}, and no firmware.")
    if path.suffix.lower() != ".bin":
        raise ImageFormatError("it is no firmware: name a .zip with a bootloader, an .elf, a .uf2 or a .bin.")
    if address is None:
        raise UsageError(f"{path} holds plain bytes; say with --address where they belong, as 0x10000000 on an RP2040.")
    if len(data) > MAX_BYTES:
        raise ImageTooLargeError(f"{path} has {len(data)} bytes, more than any flash holds.")
    return joined([Segment(address, data)], "The file")
