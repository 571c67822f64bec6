"""The flash chip of an emulated RP2040 in a file, which nobody else may use meanwhile."""

import contextlib
import fcntl
import os
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError, UsageError
from thermo_sim.rp2040.machine import FLASH_BYTES, SECTOR

NAME = "rp2040.flash"


class FlashFile:
    """The file: as large as the chip, byte for byte.

    Args:
        folder: where it lies; made where it is missing.

    Attributes:
        content: what it held when it was opened; all ones in a new one.

    Raises:
        UsageError: another board uses it.
        DamagedFileError: it is no such file.
        StorageError: it cannot be made or opened.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be used ({error.strerror}); give a writable directory with --state."
            ) from error
        try:
            self.content = self._open(path)
        except BaseException:
            os.close(self._descriptor)
            raise

    def write(self, sector: int, data: bytes) -> None:
        """Keep a sector."""
        os.pwrite(self._descriptor, data, sector * SECTOR)

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def _open(self, path: Path) -> bytes:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"Another board uses {path.parent}; stop it or give another directory with --state."
            ) from error
        size = os.fstat(self._descriptor).st_size
        if size == 0:
            try:
                os.pwrite(self._descriptor, b"\xff" * FLASH_BYTES, 0)
            except OSError as error:
                raise StorageError(
                    f"{path} cannot be used ({error.strerror}); name another directory --state."
                ) from error
        elif size != FLASH_BYTES:
            raise DamagedFileError(f"{path} has {size} bytes and no board's flash; remove it or name another --state.")
        return os.pread(self._descriptor, FLASH_BYTES, 0)
