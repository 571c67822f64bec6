"""What lies where in a microcontroller's flash, whatever file it came in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thermo_core.errors import ImageFormatError

MAX_BYTES = 16 << 20
"""No flash here is larger; more is a damaged file."""
ADDRESSES = 1 << 32
ERASED = 0xFF


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at an address.

    Attributes:
        address: of the first byte.
        data: bytes.
    """

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """Address behind the last byte."""
        return self.address + len(self.data)


Segments = tuple[Segment, ...]


def joined(parts: Iterable[Segment], what: str) -> Segments:
    """Parts in order of address, those that touch as one.

    Args:
        parts: in any order.
        what: they come from, for messages.

    Raises:
        ImageFormatError: two overlap, one lies beyond 32 bits of address, there is none, or there is too much.
    """
    found: list[Segment] = []
    for part in sorted((part for part in parts if part.data), key=lambda part: part.address):
        if part.end > ADDRESSES:
            raise ImageFormatError(f"{what} has bytes beyond address {ADDRESSES - 1:#x}, so it is damaged.")
        if found and part.address < found[-1].end:
            raise ImageFormatError(f"{what} has two contents for address {part.address:#x}, so it is damaged.")
        if found and part.address == found[-1].end:
            found[-1] = Segment(found[-1].address, found[-1].data + part.data)
        else:
            found.append(part)
    if not found:
        raise ImageFormatError(f"{what} holds nothing to program.")
    if sum(len(part.data) for part in found) > MAX_BYTES:
        raise ImageFormatError(f"{what} holds more than {MAX_BYTES >> 20} MB, which no flash here has.")
    return tuple(found)


def filled(segments: Sequence[Segment], unit: int) -> Segments:
    """The same in whole units of flash, such as sectors that are erased as one; what is filled in is as erased.

    Args:
        segments: in order of address.
        unit: bytes, a power of two.
    """
    units: dict[int, bytearray] = {}
    for segment in segments:
        for address in range(segment.address & -unit, segment.end, unit):
            content = units.setdefault(address, bytearray([ERASED]) * unit)
            start, end = max(segment.address, address), min(segment.end, address + unit)
            content[start - address : end - address] = segment.data[start - segment.address : end - segment.address]
    return joined((Segment(address, bytes(content)) for address, content in units.items()), "The firmware")
