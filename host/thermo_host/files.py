"""Files that are whole or not there: written beside their name, synced, then renamed over it."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.file_errors import storage_error
from thermo_core.foreign import stand_in

LARGEST_FILE = 64 << 20
LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


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


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old content or the new, never a part.

    Raises:
        StorageError: it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read_whole(path: Path, most: int = LARGEST_FILE) -> bytes:
    """The content of `path`.

    Raises:
        StorageError: it cannot be read, has more than `most` bytes, or something stands in for it, as a Git LFS pointer does.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise storage_error("read", path, error) from error
    if len(data) > most:
        raise StorageError(f"{path} has more than {most >> 20} MiB, which nothing of ours has; give the right file.")
    if found := stand_in(data):
        raise StorageError(f"{path} is {found}.")
    return data


def file_name(text: str) -> str:
    """A text of somebody else's as a part of a file's name, which leads nowhere."""
    return _NOT_IN_NAMES.sub("_", text).strip("._")[:LONGEST_NAME] or "unnamed"
