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
_SYMBOLS, _RELOCATIONS, _ALLOCATED = 2, 9, 2
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
    """What a linker made at address 0.

    Attributes:
        code: its bytes.
        symbols: addresses by name, functions with their lowest bit set.
        relocations: how many of each kind.
    """

    code: bytes
    symbols: dict[str, int]
    relocations: dict[str, int]


def read(data: bytes) -> Linked:
    """An ELF file that was linked at address 0 with --emit-relocs.

    Raises:
        ModelError: something in it holds an address, or variables, or a global offset table.
    """
    *_, sections_at, _, _, _, _, _, count, names_at = _HEADER.unpack_from(data)
    sections = [_SECTION.unpack_from(data, sections_at + number * _SECTION.size) for number in range(count)]
    names = [_name(data, sections[names_at][4], section[0]) for section in sections]
    code = b""
    symbols: dict[str, int] = {}
    found: dict[str, int] = {}
    for name, section in zip(names, sections, strict=True):
        _, kind, flags, address, offset, size, link, info, _, _ = section
        if flags & _ALLOCATED and size:
            if kind != 1 or name not in (".text", ".rodata"):
                raise ModelError(f"The compiled network has a section {name}, which a container cannot hold.")
            code = code.ljust(address, b"\0") + data[offset : offset + size]
        elif kind == _SYMBOLS:
            for number in range(size // _SYMBOL.size):
                at, value, _, kinds, _, _ = _SYMBOL.unpack_from(data, offset + number * _SYMBOL.size)
                if kinds & 15 == 2:
                    symbols[_name(data, sections[link][4], at)] = value
        elif kind == _RELOCATIONS and sections[info][2] & _ALLOCATED:
            for number in range(size // _RELOCATION.size):
                place, what = _RELOCATION.unpack_from(data, offset + number * _RELOCATION.size)
                sort = RELATIVE.get(what & 0xFF)
                if sort is None:
                    raise ModelError(
                        f"The compiled network has an address at byte {place} (ARM relocation {what & 0xFF}), so it would work in "
                        "one place alone; tell the makers of thermo-edge."
                    )
                found[sort] = found.get(sort, 0) + 1
    return Linked(code, symbols, found)


def _name(data: bytes, table: int, at: int) -> str:
    end = data.index(b"\0", table + at)
    return data[table + at : end].decode()
