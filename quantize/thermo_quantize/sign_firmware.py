"""Firmware linked for both slots of a board, signed and put into one file."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core.errors import UsageError
from thermo_core.firmware.archive import pack
from thermo_core.firmware.segments import Segment
from thermo_core.firmware.signed import sign
from thermo_core.image import HEADER_SIZE, Version
from thermo_quantize.linked import Program

SLOT_ALIGNMENT = 4096
"""Slots begin at a block of flash; a program lies behind the header of its image."""


def sign_firmware(
    programs: Sequence[Program],
    board: str,
    version: Version,
    key: Ed25519PrivateKey,
    counter: int = 0,
    loader: Program | None = None,
) -> bytes:
    """Sign a firmware that was linked for each slot.

    Args:
        programs: for slots 0 and 1.
        board: whose it is.
        version: of it.
        key: private, for firmware.
        counter: security counter; 0 leaves it out.
        loader: the board's bootloader, for boards that have none yet; it is not signed.

    Raises:
        UsageError: a program does not lie behind a header in a slot, or the loader not before the slots.
        ImageFormatError: the programs do not belong together.
    """
    images = []
    for program in programs:
        header_size = program.address % SLOT_ALIGNMENT
        if header_size < HEADER_SIZE:
            raise UsageError(
                f"A program at {program.address:#x} leaves no room for an image's header; link it with make update."
            )
        images.append(
            sign(
                program.data,
                version,
                key,
                address=program.address - header_size,
                counter=counter,
                header_size=header_size,
            )
        )
    if loader is None:
        return pack(board, images)
    lowest = min(program.address & -SLOT_ALIGNMENT for program in programs)
    if loader.address + len(loader.data) > lowest:
        raise UsageError(
            f"The bootloader at {loader.address:#x} reaches into the slots, which begin at {lowest:#x}; give loader.elf of make update."
        )
    return pack(board, images, Segment(loader.address, loader.data))
