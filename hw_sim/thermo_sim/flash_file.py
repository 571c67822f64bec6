"""The flash of an emulated microcontroller in a file, which nobody else may use meanwhile."""

import contextlib
import fcntl
import os
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError, UsageError

SECTOR = 4096


class FlashFile:
    """The file: byte for byte what is kept of a chip's flash.

    Args:
        folder: where it lies; made where it is missing.
        name: of the file.
        size: bytes, whole sectors.

    Attributes:
        content: what it held when it was opened; all ones in a new one.

    Raises:
        UsageError: another board uses it.
        DamagedFileError: it is no such file.
        StorageError: it cannot be made or opened.
    """

    def __init__(self, folder: Path, name: str, size: int) -> None:
        path = folder / name
        self._size = size
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
        found = os.fstat(self._descriptor).st_size
        if found == 0:
            try:
                os.pwrite(self._descriptor, b"\xff" * self._size, 0)
            except OSError as error:
                raise StorageError(
                    f"{path} cannot be used ({error.strerror}); name another directory --state."
                ) from error
        elif found != self._size:
            raise DamagedFileError(f"{path} has {found} bytes and no board's flash; remove it or name another --state.")
        return os.pread(self._descriptor, self._size, 0)
