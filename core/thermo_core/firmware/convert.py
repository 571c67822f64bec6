"""Make a UF2 file of an ELF file: `python -m thermo_core.firmware.convert FIRMWARE.elf FIRMWARE.uf2 rp2040|nrf52840`."""

import sys
from pathlib import Path

from thermo_core.files import read_file, write_file
from thermo_core.firmware import elf, uf2


def convert(source: Path, target: Path, chip: str) -> None:
    """Write what an ELF file puts into flash as UF2.

    Raises:
        StorageError: a file cannot be read or written.
        ImageFormatError: the first is no ELF file of a microcontroller.
    """
    write_file(target, uf2.encode(elf.segments(read_file(source)), uf2.FAMILIES[chip]))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
