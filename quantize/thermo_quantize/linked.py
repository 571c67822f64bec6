"""What a linker made, as the bytes that go to flash."""

import struct
from dataclasses import dataclass

from thermo_core.errors import UsageError

_HEADER = struct.Struct("<4sBBBB8xHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<IIIIIIII")
_LOAD = 1
_MOST = 4 << 20


@dataclass(frozen=True)
class Program:
    """Where a program lies, and its bytes.

    Attributes:
        address: of its first byte.
        data: from there on, gaps filled with 0xFF.
    """

    address: int
    data: bytes


def read_elf(data: bytes, name: str) -> Program:
    """The loadable segments of an ELF file for 32-bit ARM, by their load addresses.

    Args:
        data: the file.
        name: of it, for errors.

    Raises:
        UsageError: it is no such file, or damaged.
    """
    try:
        magic, bits, order, *_, _, machine, _, _, offset, _, _, _, size, count, _, _, _ = _HEADER.unpack_from(data)
        if (magic, bits, order, machine, size) != (b"\x7fELF", 1, 1, 40, _SEGMENT.size):
            raise ValueError
        parts: list[tuple[int, bytes]] = []
        for number in range(count):
            kind, start, _, address, length, *_ = _SEGMENT.unpack_from(data, offset + number * size)
            if kind == _LOAD and length > 0:
                parts.append((address, data[start : start + length]))
                if len(parts[-1][1]) != length:
                    raise ValueError
        begin = min(address for address, _ in parts)
        end = max(address + len(part) for address, part in parts)
        if end - begin > _MOST:
            raise ValueError
    except (struct.error, ValueError) as error:
        raise UsageError(
            f"{name} is no program for a microcontroller that is linked whole; give slot_a.elf and slot_b.elf."
        ) from error
    whole = bytearray(b"\xff" * (end - begin))
    for address, part in parts:
        whole[address - begin : address - begin + len(part)] = part
    return Program(begin, bytes(whole))
