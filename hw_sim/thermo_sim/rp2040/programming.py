"""What lies in an emulated RP2040's flash when it starts: a firmware of whatever kind, beside what was kept."""

from pathlib import Path

from thermo_core.errors import StorageError, UsageError
from thermo_core.firmware import elf, uf2
from thermo_core.firmware.archive import FirmwareFile
from thermo_core.firmware.segments import Segment, Segments
from thermo_sim.factory import provision
from thermo_sim.rp2040.machine import FLASH_BYTES

FLASH_AT = 0x10000000
SECOND_STAGE = 252
"""Bytes of it, behind which its CRC stands."""
SLOTS = ((0x10000, 0x80000), (0x90000, 0x80000))
"""Where those of the firmware lie in flash, and how large they are."""


def second_stage_crc(code: bytes) -> int:
    """CRC that the boot ROM looks for: polynomial 0x04C11DB7, from all ones, highest bit first, not inverted."""
    crc = 0xFFFFFFFF
    for byte in code:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def program(flash: bytearray, path: Path, slots: FirmwareFile | None = None) -> None:
    """Write a firmware into flash.

    Args:
        flash: all of it.
        path: an ELF or UF2 file, or bytes from the beginning of flash on; of the loader where there are slots.
        slots: a firmware for them, which a flash gets that has none.

    Raises:
        UsageError: it is no firmware that an RP2040 starts.
        StorageError: the file cannot be read.
        ImageFormatError: it is a damaged ELF or UF2 file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); name another file with --firmware.") from error
    for segment in _segments(data):
        at = segment.address - FLASH_AT
        if at < 0 or at + len(segment.data) > FLASH_BYTES:
            raise UsageError(
                f"{path} has bytes at {segment.address:#x}, where an RP2040 has no flash; name one that was built for it."
            )
        flash[at : at + len(segment.data)] = segment.data
    stored = int.from_bytes(flash[SECOND_STAGE : SECOND_STAGE + 4], "little")
    if stored != second_stage_crc(bytes(flash[:SECOND_STAGE])):
        raise UsageError(
            f"{path} is no firmware that an RP2040 starts: its first {SECOND_STAGE} bytes have not the CRC behind them. "
            "Build it with make firmware BOARD=rp2040."
        )
    if slots is not None:
        provision([memoryview(flash)[at : at + size] for at, size in SLOTS], slots)


def _segments(data: bytes) -> Segments:
    if elf.is_elf(data):
        return elf.segments(data)
    if uf2.is_uf2(data):
        return uf2.decode(data).segments
    return (Segment(FLASH_AT, data),)
