"""Whether linked code stays right wherever it is put: what the linker was asked to resolve, read from its ELF file.

After the ELF specification and "ELF for the Arm Architecture" (IHI 0044): section headers of 40 bytes, symbols of 16,
relocations of 8.
"""

import struct
from dataclasses import dataclass

from thermo_core.errors import ModelError

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<IIIIIIIIII")
_SYMBOL = struct.Struct("<IIIBBH")
_RELOCATION = struct.Struct("<II")
_PROGRAM, _SYMBOLS, _ZEROS, _RELOCATIONS, _ALLOCATED = 1, 2, 8, 9, 2
_OBJECT, _FUNCTION = 1, 2
_ABSOLUTE = 2
"""R_ARM_ABS32."""
KIND_SHIFT = 30
OF_ITSELF, OF_ROOM, OF_STAGES = range(3)
"""What the upper two bits of an address mean that the linker script gave: code and constants, the memory of tables and
variables, and what the firmware has."""
TABLES, VARIABLES = ".tables", ".variables"
RELATIVE = {
    3: "R_ARM_REL32",
    10: "R_ARM_THM_CALL",
    30: "R_ARM_THM_JUMP24",
    40: "R_ARM_V4BX",
    42: "R_ARM_PREL31",
    51: "R_ARM_THM_JUMP19",
    102: "R_ARM_THM_JUMP11",
    103: "R_ARM_THM_JUMP8",
}
"""Those that tell how far it is from one place to another."""


@dataclass(frozen=True)
class Linked:
    """What a linker made with code at address 0.

    Attributes:
        code: bytes of code and constants.
        symbols: addresses by name, functions with their lowest bit set.
        relocations: how many of each kind.
        tables: bytes that begin the memory.
        places: bytes of the tables where an address stands.
        room_bytes: of memory, for tables and variables.
    """

    code: bytes
    symbols: dict[str, int]
    relocations: dict[str, int]
    tables: bytes = b""
    places: tuple[int, ...] = ()
    room_bytes: int = 0


def read(data: bytes) -> Linked:
    """An ELF file that was linked with --emit-relocs.

    Raises:
        ModelError: code or a constant holds an address, reaches for a variable, or there is a global offset table.
    """
    *_, sections_at, _, _, _, _, _, count, names_at = _HEADER.unpack_from(data)
    sections = [_SECTION.unpack_from(data, sections_at + number * _SECTION.size) for number in range(count)]
    names = [_name(data, sections[names_at][4], section[0]) for section in sections]
    code = tables = b""
    room_bytes = 0
    symbols: dict[str, int] = {}
    found: dict[str, int] = {}
    places: list[int] = []
    values = [
        _SYMBOL.unpack_from(data, at)[1]
        for kind, start, size in ((section[1], section[4], section[5]) for section in sections)
        if kind == _SYMBOLS
        for at in range(start, start + size, _SYMBOL.size)
    ]
    for name, section in zip(names, sections, strict=True):
        _, kind, flags, address, offset, size, link, info, _, _ = section
        if flags & _ALLOCATED and size:
            end = (address & (1 << KIND_SHIFT) - 1) + size
            if (kind, name) in ((_PROGRAM, ".text"), (_PROGRAM, ".rodata")):
                code = code.ljust(address, b"\0") + data[offset : offset + size]
            elif (kind, name) == (_PROGRAM, TABLES):
                tables, room_bytes = data[offset : offset + size], max(room_bytes, end)
            elif (kind, name) == (_ZEROS, VARIABLES):
                room_bytes = max(room_bytes, end)
            else:
                raise ModelError(f"What was compiled has a section {name}, which a container cannot hold.")
        elif kind == _SYMBOLS:
            for number in range(size // _SYMBOL.size):
                at, value, _, kinds, _, _ = _SYMBOL.unpack_from(data, offset + number * _SYMBOL.size)
                if kinds & 15 in (_OBJECT, _FUNCTION):
                    symbols[_name(data, sections[link][4], at)] = value
        elif kind == _RELOCATIONS and sections[info][2] & _ALLOCATED:
            for number in range(size // _RELOCATION.size):
                place, what = _RELOCATION.unpack_from(data, offset + number * _RELOCATION.size)
                if names[info] == TABLES and what & 0xFF == _ABSOLUTE:
                    places.append(place - sections[info][3])
                    continue
                sort = RELATIVE.get(what & 0xFF)
                if sort is not None and names[info] != TABLES and values[what >> 8] >> KIND_SHIFT != OF_ITSELF:
                    raise ModelError(
                        f"The compiled network reaches for a variable at byte {place}, and its code has none; tell the makers of "
                        "thermo-edge."
                    )
                if sort is None or names[info] == TABLES:
                    raise ModelError(
                        f"The compiled network has an address at byte {place} (ARM relocation {what & 0xFF}), so it would work in "
                        "one place alone; tell the makers of thermo-edge."
                    )
                found[sort] = found.get(sort, 0) + 1
    return Linked(code, symbols, found, tables, tuple(places), room_bytes)


def _name(data: bytes, table: int, at: int) -> str:
    end = data.index(b"\0", table + at)
    return data[table + at : end].decode()
