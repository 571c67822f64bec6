"""UF2 files: what boot loaders that look like a drive take, in blocks that each say where they belong.

The format is Microsoft's (https://github.com/microsoft/uf2). A block has 512 bytes: three magic words, flags, an address, the
number of bytes of its payload (here always 256), its number and how many there are, the family of the chip, the payload, and
the last magic word.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thermo_core.errors import ImageFormatError

BLOCK = 512
PAYLOAD = 256
FAMILIES: Mapping[str, int] = {"rp2040": 0xE48BFF56, "nrf52840": 0xADA52840}
"""Of the chips that the firmware runs on, by the names of its boards."""

_HEAD = struct.Struct("<8I")
_FIRST, _SECOND, _LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_FAMILY_PRESENT = 0x2000
_NOT_FOR_FLASH = 0x0001
_MOST_BLOCKS = 1 << 16


@dataclass(frozen=True, slots=True)
class Uf2:
    """What a file holds.

    Attributes:
        address: of its first byte.
        data: all bytes from there on; what no block has is 0xFF.
        family: number of the chip's family.
    """

    address: int
    data: bytes
    family: int


def encode(data: bytes, address: int, family: int) -> bytes:
    """A file of one piece of memory.

    Args:
        data: what it is to hold; filled up with 0xFF to whole payloads.
        address: where it begins, a multiple of 256.
        family: of the chip.
    """
    assert address % PAYLOAD == 0
    count = -(-len(data) // PAYLOAD)
    blocks = []
    for number in range(count):
        payload = data[number * PAYLOAD : (number + 1) * PAYLOAD].ljust(PAYLOAD, b"\xff")
        head = _HEAD.pack(_FIRST, _SECOND, _FAMILY_PRESENT, address + number * PAYLOAD, PAYLOAD, number, count, family)
        blocks.append((head + payload).ljust(BLOCK - 4, b"\0") + _LAST.to_bytes(4, "little"))
    return b"".join(blocks)


def decode(text: bytes) -> Uf2:
    """Read a file.

    Raises:
        ImageFormatError: it is no UF2 file, a block is missing or damaged, or blocks are of several families.
    """
    if not text or len(text) % BLOCK or len(text) > BLOCK * _MOST_BLOCKS:
        raise ImageFormatError(f"A UF2 file has blocks of {BLOCK} bytes, and this one has {len(text)}; make it anew.")
    payloads: dict[int, bytes] = {}
    families: set[int] = set()
    for number, (address, payload, family) in enumerate(_blocks(text)):
        if payloads.setdefault(address, payload) != payload:
            raise ImageFormatError(f"Block {number} of the UF2 file contradicts an earlier one; make it anew.")
        families.add(family)
    if len(families) != 1:
        raise ImageFormatError(f"The UF2 file is for {len(families)} families of chips; make one for each.")
    first = min(payloads)
    end = max(address + len(payload) for address, payload in payloads.items())
    if end - first > PAYLOAD * _MOST_BLOCKS:
        raise ImageFormatError(f"The UF2 file reaches over {end - first} bytes, more than a flash has; make it anew.")
    data = bytearray(b"\xff" * (end - first))
    for address, payload in payloads.items():
        data[address - first : address - first + len(payload)] = payload
    return Uf2(first, bytes(data), families.pop())


def _blocks(text: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Address, payload and family of each block for flash."""
    count = len(text) // BLOCK
    for place in range(count):
        block = text[place * BLOCK : (place + 1) * BLOCK]
        first, second, flags, address, size, number, total, family = _HEAD.unpack_from(block)
        whole = (first, second, int.from_bytes(block[-4:], "little")) == (_FIRST, _SECOND, _LAST)
        if not whole or size != PAYLOAD or number != place or total != count:
            raise ImageFormatError(f"Block {place} of the UF2 file is damaged or not in its place; make it anew.")
        if flags & _NOT_FOR_FLASH:
            continue
        if not flags & _FAMILY_PRESENT:
            raise ImageFormatError(f"Block {place} of the UF2 file names no family of chips; make it anew.")
        yield address, block[_HEAD.size : _HEAD.size + size], family
