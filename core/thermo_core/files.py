"""Files of a person: read as a whole, written whole or not at all, with one sentence where the system refuses.

Stores of a device, which survive a power cut at any operation, are `thermo_device.files`.
"""

import contextlib
import errno
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.foreign import LONGEST_MARK, stand_in

MAX_INPUT = 64 << 20
LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def read_file(path: Path, maximum: int = MAX_INPUT) -> bytes:
    """The file's content.

    Raises:
        StorageError: it cannot be read, or something stands in for it, as a Git LFS pointer does.
        UsageError: it is longer than `maximum` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(maximum + 1)
    except OSError as error:
        raise storage_error("read", path, error) from error
    _check_own(path, data)
    if len(data) > maximum:
        raise UsageError(f"{path} has more than {_size(maximum)}; check that it is the right file.")
    return data


def check_readable(path: Path) -> None:
    """Fail before a library opens the file by itself.

    Raises:
        StorageError: it cannot be read, or something stands in for it, as a Git LFS pointer does.
    """
    try:
        with path.open("rb") as file:
            head = file.read(LONGEST_MARK)
    except OSError as error:
        raise storage_error("read", path, error) from error
    _check_own(path, head)


def _check_own(path: Path, head: bytes) -> None:
    if found := stand_in(head):
        raise StorageError(f"{path} is {found}.")


def read_text(path: Path, maximum: int = MAX_INPUT) -> str:
    """The file's content as UTF-8.

    Raises:
        StorageError: it cannot be read.
        UsageError: too long or not UTF-8.
    """
    try:
        return read_file(path, maximum).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text; check that it is the right file.") from error


def read_json(path: Path, maximum: int = 1 << 20) -> object:
    """The file's content, from JSON.

    Raises:
        StorageError: it cannot be read.
        UsageError: too long or not JSON.
    """
    text = read_text(path, maximum)
    try:
        decoded: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON (line {error.lineno}: {error.msg}); correct it.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} holds a number or a nesting that no profile needs; correct it.") from error
    return decoded


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`; what is written there takes the name `path` if no error escapes.

    Raises:
        StorageError: the folder is not there, is full, or may not be written.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise storage_error("write", path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """Replace the file as a whole: a reader sees the old content or the new.

    Raises:
        StorageError: it cannot be written; the old content stays.
    """
    write_files({path: data})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Replace files that belong together, each as a whole and none before all are on the disk.

    Raises:
        StorageError: one cannot be written; the old content of all stays.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            try:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
                staged[path] = temporary
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise storage_error("write", path, error) from error
        for path, temporary in staged.items():
            try:
                temporary.replace(path)
            except OSError as error:
                raise storage_error("write", path, error) from error
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def refuse_overwriting(files: Mapping[Path, bytes | None], force: bool) -> None:
    """Refuse to replace files, unless nothing would change.

    Args:
        files: what is to be written; None where that is not known yet.
        force: whether they may be replaced.

    Raises:
        UsageError: one is there already, with other content.
    """
    for path, data in files.items():
        if force or not path.is_file():
            continue
        if data is None or path.stat().st_size != len(data) or path.read_bytes() != data:
            raise UsageError(f"{path} is there already; name another place, or add --force to replace it.")


def check_folder(folder: Path) -> None:
    """Fail before long work whose results could not be written: make the folder, put a file into it, and take both away again.

    Raises:
        StorageError: the folder is a file, or cannot be made or written to.
    """
    missing: list[Path] = []
    made: list[Path] = []
    at = folder
    try:
        while not at.exists() and at != at.parent:
            missing.append(at)
            at = at.parent
        if not at.is_dir():
            raise StorageError(f"Cannot make the folder {folder}: {at} is a file; name another.")
        for one in reversed(missing):
            one.mkdir()
            made.append(one)
        probe = folder / f".{secrets.token_hex(4)}"
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot write to the folder {folder}: {reason}; name another.") from error
    finally:
        for one in reversed(made):
            with contextlib.suppress(OSError):
                one.rmdir()


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, where it is not there.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot make the folder {folder}: {reason}; name another.") from error


def file_name(text: str) -> str:
    """A text of somebody else's as a part of a file's name, which leads nowhere."""
    return _NOT_IN_NAMES.sub("_", text).strip("._")[:LONGEST_NAME] or "unnamed"


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"
