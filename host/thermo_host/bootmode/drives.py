"""Boards that show themselves as a drive: their boot loader programs what a UF2 file that is copied there says.

Such a drive holds INFO_UF2.TXT, whose line "Board-ID" names the board (UF2 specification). It goes away as soon as the last block
was written, often before the copy was told that it went well.
"""

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from thermo_core.errors import AmbiguousPortError, ImageFormatError, LinkError, PortNotFoundError
from thermo_core.firmware import uf2
from thermo_core.text import clean
from thermo_host.bootmode.firmware_file import Firmware

INFO = "INFO_UF2.TXT"
_MAX_INFO = 4096
_TARGET = "FIRMWARE.UF2"
_GONE = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESHUTDOWN, errno.EROFS})
"""What a copy ends with where the drive has gone."""
CHIPS: Mapping[str, str] = MappingProxyType({"RPI-RP2": "rp2040", "nRF52840": "nrf52840"})
"""Chip by a part of a board's ID."""
KEPT: Mapping[str, int] = MappingProxyType({"nrf52840": 0x1000})
"""First bytes of flash that a chip's UF2 boot loader keeps for itself: it passes over what a file has for them, and says nothing."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A board in boot mode.

    Attributes:
        path: where it is mounted.
        model: as its boot loader names it.
        board: its ID.
        chip: as `uf2.FAMILIES` names it; None for one that no firmware here is for.
    """

    path: Path
    model: str
    board: str
    chip: str | None


def read(path: Path) -> Drive | None:
    """The board behind a folder; None where it is no such drive."""
    try:
        with (path / INFO).open("rb") as file:
            text = file.read(_MAX_INFO).decode("utf-8", "replace")
    except OSError:
        return None
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    board = clean(said.get("Board-ID", ""))
    chip = next((chip for part, chip in CHIPS.items() if part.lower() in board.lower()), None)
    return Drive(path, clean(said.get("Model", "")) or "unnamed", board or "unnamed", chip)


def mounted() -> list[Path]:
    """Folders where drives may be: mount points, and what desktop systems mount."""
    found: list[Path] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            fields = line.split()
            if len(fields) > 2 and fields[2] in ("vfat", "msdos", "fuseblk"):
                found.append(Path(fields[1].encode().decode("unicode_escape")))
    with contextlib.suppress(OSError):
        found.extend(Path("/Volumes").iterdir())
    return sorted(set(found))


def find(folders: Iterable[Path] | None = None) -> list[Drive]:
    """Boards in boot mode among folders; those of `mounted` where none are given."""
    return [drive for folder in (mounted() if folders is None else folders) if (drive := read(folder)) is not None]


def choose(path: Path | None, folders: Iterable[Path] | None = None) -> Drive:
    """The drive that was named, or the only one.

    Raises:
        PortNotFoundError: there is none, or what was named is none.
        AmbiguousPortError: there are several.
    """
    if path is not None:
        drive = read(path)
        if drive is None:
            raise PortNotFoundError(
                f"{path} is no UF2 drive, since it holds no {INFO}; hold BOOTSEL while you plug the board in."
            )
        return drive
    found = find(folders)
    if not found:
        raise PortNotFoundError(
            "No board shows itself as a UF2 drive; hold BOOTSEL (or press reset twice) while you plug it in, mount the drive, or name its folder."
        )
    if len(found) > 1:
        raise AmbiguousPortError(
            f"Several boards show themselves as drives; name one of {', '.join(str(one.path) for one in found)}."
        )
    return found[0]


def chip_for(drive: Drive, firmware: Firmware) -> str:
    """The chip that a firmware is programmed into.

    Raises:
        ImageFormatError: the firmware is for another chip, or no firmware is for this board.
    """
    if drive.chip is None:
        raise ImageFormatError(
            f"{drive.path} is a board that calls itself {drive.board}, for which no firmware is built; known are {', '.join(CHIPS.values())}."
        )
    if firmware.chip is not None and firmware.chip != drive.chip:
        raise ImageFormatError(
            f"{firmware.path} is for {firmware.chip}, and {drive.path} is a {drive.board} with {drive.chip}; build with BOARD={drive.chip}."
        )
    kept = KEPT.get(drive.chip, 0)
    if firmware.segments[0].address < kept:
        raise ImageFormatError(
            f"{firmware.path} begins at {firmware.segments[0].address:#x}, which the boot loader of {drive.path} keeps for itself; "
            "program the board by a probe, with --via pyocd."
        )
    return drive.chip


def flash(drive: Drive, firmware: Firmware) -> int:
    """Copy a firmware to a board; bytes that were programmed.

    Raises:
        ImageFormatError: it is for another chip.
        LinkError: the drive went away before it had all, or does not take it.
    """
    data = uf2.encode(firmware.segments, uf2.FAMILIES[chip_for(drive, firmware)])
    written = 0
    try:
        file = os.open(drive.path / _TARGET, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            while written < len(data):
                written += os.write(file, data[written : written + (1 << 16)])
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        if written < len(data) or error.errno not in _GONE:
            raise LinkError(
                f"{drive.path} took {written} of {len(data)} bytes and then failed ({error.strerror}); plug the board in again with BOOTSEL held and repeat."
            ) from error
    return firmware.bytes_count
