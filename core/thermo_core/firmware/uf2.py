"""UF2, the file that boards take as a drive: blocks of 512 bytes, each of which says where its bytes belong.

The format is Microsoft's (the UF2 specification): two magic words, flags, address, payload size, number, count, family, 476 bytes of payload,
a last magic word; all little-endian.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from thermo_core.errors import ImageFormatError
from thermo_core.firmware.segments import Segment, Segments, filled, joined

_HEAD = struct.Struct("<8I")
_FIRST, _SECOND, _LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
BLOCK_BYTES = 512
PAYLOAD_BYTES = 256
"""Of each block that is written; the RP2040's boot ROM takes no other size."""
MAX_PAYLOAD = 476
SECTOR_BYTES = 4096
"""What boards erase as one; a file fills whole ones, so that nothing old stays beside what is new."""
NOT_MAIN_FLASH, FAMILY_PRESENT = 0x1, 0x2000
FAMILIES: Mapping[str, int] = MappingProxyType({"rp2040": 0xE48BFF56, "nrf52840": 0xADA52840})
"""Chips by name, as the specification's list of families numbers them."""


@dataclass(frozen=True, slots=True)
class Uf2:
    """What a file says.

    Attributes:
        family: number of the chip it is for; None where it does not say.
        segments: what lies where.
    """

    family: int | None
    segments: Segments

    @property
    def chip(self) -> str | None:
        """Name of the chip, where it is one of `FAMILIES`."""
        return next((name for name, number in FAMILIES.items() if number == self.family), None)


def is_uf2(data: bytes) -> bool:
    """Whether a file begins as one."""
    return data[:8] == struct.pack("<II", _FIRST, _SECOND)


def encode(segments: Sequence[Segment], family: int) -> bytes:
    """A file that programs whole sectors.

    Args:
        segments: what lies where, in order of address.
        family: number of the chip.
    """
    pages = [
        Segment(segment.address + start, segment.data[start : start + PAYLOAD_BYTES])
        for segment in filled(segments, SECTOR_BYTES)
        for start in range(0, len(segment.data), PAYLOAD_BYTES)
    ]
    return b"".join(
        _HEAD.pack(_FIRST, _SECOND, FAMILY_PRESENT, page.address, PAYLOAD_BYTES, number, len(pages), family)
        + page.data.ljust(MAX_PAYLOAD, b"\0")
        + struct.pack("<I", _LAST)
        for number, page in enumerate(pages)
    )


def decode(data: bytes) -> Uf2:
    """Read a file.

    Raises:
        ImageFormatError: it is none, is cut, lacks a block, has blocks of two files or for several chips, or two contents for
            one address.
    """
    if not is_uf2(data):
        raise ImageFormatError("The file does not begin as UF2 does; name a .uf2, an .elf or a .bin of a firmware.")
    if len(data) % BLOCK_BYTES:
        raise ImageFormatError(
            f"The UF2 file has {len(data)} bytes, no multiple of {BLOCK_BYTES}, so it was cut; copy or build it again."
        )
    count = len(data) // BLOCK_BYTES
    parts: list[Segment] = []
    families: set[int | None] = set()
    for number in range(count):
        block = data[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
        first, second, flags, address, size, said, total, family = _HEAD.unpack_from(block)
        if (first, second, struct.unpack_from("<I", block, BLOCK_BYTES - 4)[0]) != (_FIRST, _SECOND, _LAST):
            raise ImageFormatError(f"Block {number} of the UF2 file is damaged; copy or build it again.")
        if size > MAX_PAYLOAD or (said, total) != (number, count):
            raise ImageFormatError(
                f"Block {number} of {count} of the UF2 file calls itself {said} of {total} with {size} bytes, so blocks are lost or mixed; build it again."
            )
        if flags & NOT_MAIN_FLASH:
            continue
        families.add(family if flags & FAMILY_PRESENT else None)
        parts.append(Segment(address, block[_HEAD.size : _HEAD.size + size]))
    if len(families) > 1:
        raise ImageFormatError("The UF2 file is for several chips; build one for yours.")
    return Uf2(next(iter(families), None), joined(parts, "The UF2 file"))
