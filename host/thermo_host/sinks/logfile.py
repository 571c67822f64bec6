"""A file that grows in whole steps: what is committed stays readable, whatever ends the process or fills the disk."""

import contextlib
import os
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.file_errors import storage_error


class LogFile:
    """Gathers what is written and commits it by one append; a commit that fails leaves the file as it was before.

    Has what `mcap.writer.Writer` needs of a stream.

    Args:
        path: created; an existing file is never touched.

    Raises:
        StorageError: it exists, or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gathered = bytearray()
        self._committed = 0
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError as error:
            raise StorageError(f"{path} exists and a recording is never overwritten; choose another name.") from error
        except OSError as error:
            raise storage_error("create", path, error) from error

    def write(self, data: bytes) -> int:
        """Gather."""
        self._gathered += data
        return len(data)

    def tell(self) -> int:
        """Where the next byte will lie."""
        return self._committed + len(self._gathered)

    def flush(self) -> None:
        """Commit: after this, a killed process loses nothing.

        Raises:
            StorageError: the disk is full or gone; the file holds what was committed before.
        """
        data = memoryview(self._gathered)
        try:
            done = 0
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._committed)
                os.lseek(self._descriptor, self._committed, os.SEEK_SET)
            raise storage_error("write", self.path, error) from error
        finally:
            data.release()
        self._committed += len(self._gathered)
        self._gathered.clear()

    def sync(self) -> None:
        """Have the committed part reach the disk: after this, a power cut loses nothing.

        Raises:
            StorageError: the disk is gone.
        """
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    def close(self) -> None:
        """Close it without a commit; harmless when closed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
