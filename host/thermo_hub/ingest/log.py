"""Messages of records in files of an hour, for hubs that keep raw records out of their database.

An entry is, little-endian, u32 CRC-32 of what follows, u8 length of "SITE/WEARABLE", u32 length of the message, both.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thermo_core.file_errors import storage_error
from thermo_core.files import make_folder, read_file
from thermo_hub.broker.topics import Place

SUFFIX = ".records"
HOUR_NS = 3_600_000_000_000
LARGEST = 4 << 30
_HEAD = struct.Struct("<IBI")
_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        name: of the file.
        before, size: of it, bytes, before and after.
    """

    name: str
    before: int
    size: int


class Log:
    """A folder of such files, open for writing.

    Args:
        folder: of them.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder

    def add(self, hour: int, messages: Sequence[tuple[Place, bytes]]) -> Written:
        """Write messages so that a power cut leaves them there.

        Raises:
            StorageError: the disk is full or gone.
        """
        path = self.folder / f"{hour:08d}{SUFFIX}"
        data = b"".join(_packed(place, message) for place, message in messages)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fdatasync(descriptor)
                size = os.fstat(descriptor).st_size
                return Written(path.name, size - len(data), size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("write", path, error) from error

    def cut(self, name: str, size: int) -> None:
        """Take away what was written behind a size, of which nothing is known.

        Raises:
            StorageError: it cannot be.
        """
        path = self.folder / name
        try:
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, size)
        except OSError as error:
            raise storage_error("write", path, error) from error

    def names(self) -> list[str]:
        """Of files, oldest first."""
        return sorted(path.name for path in self.folder.glob(f"*{SUFFIX}"))

    def forget(self, hour: int) -> None:
        """Delete those of hours before this one."""
        for name in self.names():
            if name < f"{hour:08d}{SUFFIX}":
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()


def entries(path: Path) -> Iterator[tuple[Place, bytes]]:
    """Messages of a file; those behind a damaged one are left out.

    Raises:
        StorageError: it cannot be read.
    """
    data, at = read_file(path, LARGEST), 0
    while at + _HEAD.size <= len(data):
        crc, named, length = _HEAD.unpack_from(data, at)
        start = at + _HEAD.size
        end = start + named + length
        if end > len(data) or zlib.crc32(data[at + _CRC_BYTES : end]) != crc:
            return
        site, _, wearable = data[start : start + named].decode().partition("/")
        yield Place(site, wearable), data[start + named : end]
        at = end


def _packed(place: Place, message: bytes) -> bytes:
    name = f"{place.site}/{place.wearable}".encode()
    body = _HEAD.pack(0, len(name), len(message))[_CRC_BYTES:] + name + message
    return zlib.crc32(body).to_bytes(_CRC_BYTES, "little") + body
