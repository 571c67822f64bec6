"""Files that survive a power cut: the few operations the device's stores use, and what is built on them.

The operations are a seam (`Files`): tests cut the power at every one of them. A write is only safe once it is synced, a
rename only once its directory is; `write_atomic` does both, so a reader finds the old content or the new one.
"""

import contextlib
import fcntl
import json
import os
import zlib
from pathlib import Path
from typing import Protocol

from thermo_core.errors import DamagedFileError, StorageError, UsageError
from thermo_core.file_errors import storage_error

LARGEST_NOTE = 65536


class Files(Protocol):
    """What the stores need of a file system. All raise StorageError where the system refuses."""

    def make_directory(self, path: Path) -> None:
        """Make a directory and its parents; none of it is an error if it exists."""
        ...

    def read(self, path: Path) -> bytes | None:
        """The whole file, or None where there is none."""
        ...

    def size(self, path: Path) -> int | None:
        """Length in bytes, or None where there is no file."""
        ...

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Write at an offset; makes the file where there is none. Not safe until `sync`."""
        ...

    def sync(self, path: Path) -> None:
        """Return when the file's content is on the medium."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Rename over `target`. Not safe until `sync_directory`."""
        ...

    def remove(self, path: Path) -> None:
        """Delete the file if it is there. Not safe until `sync_directory`."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when renames and deletions in the directory are on the medium."""
        ...


class DiskFiles:
    """`Files` on the operating system."""

    def make_directory(self, path: Path) -> None:
        """Make a directory and its parents."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("make directory", path, error) from error

    def read(self, path: Path) -> bytes | None:
        """The whole file, or None where there is none."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("read", path, error) from error

    def size(self, path: Path) -> int | None:
        """Length in bytes, or None where there is no file."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("look up", path, error) from error

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Write at an offset; makes the file where there is none."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                view = memoryview(data)
                while view:
                    written = os.pwrite(descriptor, view, offset)
                    view, offset = view[written:], offset + written
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("write", path, error) from error

    def sync(self, path: Path) -> None:
        """Return when the file's content is on the medium."""
        self._sync(path, os.O_RDWR)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over `target`."""
        try:
            source.replace(target)
        except OSError as error:
            raise storage_error("replace", target, error) from error

    def remove(self, path: Path) -> None:
        """Delete the file if it is there."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error("remove", path, error) from error

    def sync_directory(self, path: Path) -> None:
        """Return when renames and deletions in the directory are on the medium."""
        self._sync(path, os.O_RDONLY | os.O_DIRECTORY)

    def _sync(self, path: Path, flags: int) -> None:
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("write", path, error) from error


DISK = DiskFiles()


def read_bounded(files: Files, path: Path, most: int) -> bytes | None:
    """The whole file, or None where there is none.

    Raises:
        DamagedFileError: it is larger than anything that was ever written there.
        StorageError: the system refused.
    """
    size = files.size(path)
    if size is not None and size > most:
        raise DamagedFileError(f"{path} has {size} bytes where at most {most} belong; start again what it recorded.")
    return files.read(path)


def write_atomic(files: Files, path: Path, data: bytes) -> None:
    """Replace the file's content as a whole: a cut at any moment leaves the old content or the new one.

    Raises:
        StorageError: the system refused, as on a full disk; the old content stays.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        files.remove(temporary)  # one that a cut left behind may be longer
        files.write(temporary, 0, data)
        files.sync(temporary)
        files.replace(temporary, path)
    except StorageError:
        with contextlib.suppress(StorageError):
            files.remove(temporary)
        raise
    files.sync_directory(path.parent)


def write_note(files: Files, path: Path, note: dict[str, object]) -> None:
    """Write a small map as JSON with a CRC-32 of itself, atomically.

    Raises:
        StorageError: the system refused.
    """
    text = json.dumps(note, sort_keys=True)
    write_atomic(files, path, json.dumps({"note": note, "crc32": zlib.crc32(text.encode())}, sort_keys=True).encode())


def read_note(files: Files, path: Path) -> dict[str, object] | None:
    """Inverse of `write_note`; None where there is no file.

    Raises:
        DamagedFileError: its CRC or structure does not hold.
        StorageError: the system refused.
    """
    data = read_bounded(files, path, LARGEST_NOTE)
    if data is None:
        return None
    try:
        wrapped = json.loads(data)
        note: dict[str, object] = dict(wrapped["note"])
        intact = zlib.crc32(json.dumps(note, sort_keys=True).encode()) == wrapped["crc32"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise DamagedFileError(f"{path} is damaged; start again what it recorded.")
    return note


def hold(state: Path) -> int:
    """Hold the state directory alone; the kernel lets go of it with the process. It takes no room on the medium.

    Raises:
        UsageError: another agent holds it.
        StorageError: it cannot be made or opened.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(
            f"{state} cannot be used ({error.strerror}); give a writable directory with --state."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UsageError(f"Another agent uses {state}; stop it or give another directory with --state.") from error
    return descriptor
