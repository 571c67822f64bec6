"""What an ELF file of a 32-bit little-endian microcontroller puts into flash: its loadable segments, at their load addresses.

After the ELF specification (Tool Interface Standard, 1.2): header of 52 bytes, program headers of 32.
"""

import struct

from thermo_core.errors import ImageFormatError
from thermo_core.firmware.segments import Segment, Segments, joined

_MAGIC = b"\x7fELF\x01\x01"
"""32 bits, little-endian."""
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM = struct.Struct("<8I")
_ARM, _LOAD = 40, 1


def is_elf(data: bytes) -> bool:
    """Whether a file begins as one, of whatever machine."""
    return data[:4] == _MAGIC[:4]


def segments(data: bytes) -> Segments:
    """What lies where in flash.

    Raises:
        ImageFormatError: it is cut or damaged, no program for an ARM microcontroller, or programs nothing.
    """
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise ImageFormatError("The file is no ELF file of a 32-bit microcontroller; build it with `make firmware`.")
    _, _, machine, _, _, at, _, _, _, size, count, _, _, _ = _HEADER.unpack_from(data)
    if machine != _ARM:
        raise ImageFormatError(f"The ELF file is for machine {machine}, not ARM; build it with `make firmware`.")
    if size < _PROGRAM.size or at + size * count > len(data):
        raise ImageFormatError("The ELF file was cut in its program headers; copy or build it again.")
    found = []
    for number in range(count):
        kind, offset, _, address, held, _, _, _ = _PROGRAM.unpack_from(data, at + number * size)
        if kind != _LOAD:
            continue
        if offset + held > len(data):
            raise ImageFormatError(f"The ELF file was cut in segment {number}; copy or build it again.")
        found.append(Segment(address, data[offset : offset + held]))
    return joined(found, "The ELF file")
