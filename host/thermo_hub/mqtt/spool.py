"""A wearable's records on the disk until somebody has them: segments of a folder, written at the end and read from the front.

A segment begins with what the writer knew then, so that the newest one alone tells how to go on after a kill. Each entry has a CRC; a
torn end is cut off. What is older than the spool may be, or more, is dropped a segment at a time and counted.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.file_errors import storage_error
from thermo_core.files import make_folder
from thermo_hub.broker.records import Kept

RECORD, SESSION, STATE = 1, 2, 3
"""Kinds of entries."""
SEGMENT_BYTES = 8 << 20
READ_BYTES = 1 << 18
_ENTRY = struct.Struct("<IHBxQQqq")
_CRC_BYTES = 4
_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in a spool.

    Attributes:
        segment: number of it.
        offset: in its file, bytes.
        count: of records before it since the spool began.
    """

    segment: int = 0
    offset: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a place.

    Attributes:
        kind: RECORD, SESSION or STATE.
        kept: the record; of a session `data` is its id, of a state what the writer knew.
        after: the place behind it.
    """

    kind: int
    kept: Kept
    after: Cursor


class Spool:
    """A folder of segments that is open for writing; other threads may read it.

    Args:
        folder: of this wearable alone.
        state: gives what a new segment begins with: all that the writer has to know, as JSON.
        days: how long it keeps.
        limit_bytes: how much.
        segment_bytes: from which size on a new segment is begun.

    Attributes:
        count: records since it began.
        torn: bytes that were cut off because a kill or a full disk had torn them.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        state: Callable[[], bytes],
        days: float,
        limit_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        make_folder(folder)
        self.folder = folder
        self.count = 0
        self.torn = 0
        self._state = state
        self._days, self._limit = days, limit_bytes
        self._segment_bytes = min(segment_bytes, max(1, limit_bytes // 4))
        self._descriptor = -1
        self._number, self._size = 0, 0
        self._unsynced = False

    def recall(self) -> Iterator[Entry | bytes]:
        """What the newest segment holds: first its state, then its entries; a torn end is cut off. To be read to its end before `add`.

        Raises:
            StorageError: it cannot be read.
        """
        segments = self.segments()
        if not segments:
            return
        self._number = segments[-1]
        path = self.path(self._number)
        with _told("read", path):
            data = path.read_bytes()
        at = 0
        for kind, kept, after in _entries(data):
            at = after
            if kind == STATE:
                self.count = kept.sequence
                yield kept.data
                continue
            self.count += kind == RECORD
            yield Entry(kind, kept, Cursor(self._number, at, self.count))
        with _told("write", path):
            if at == 0:
                path.unlink()  # not even its beginning is whole
                return
            if at < len(data):
                self.torn = len(data) - at
                os.truncate(path, at)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = at

    def add(self, kind: int, kept: Kept) -> None:
        """Write an entry; it is safe from a kill when this returns.

        Raises:
            StorageError: the disk is full or gone; nothing of it is kept.
        """
        if self._descriptor < 0 or self._size >= self._segment_bytes:
            self._begin(kept.received_ns)
        self._write(_packed(kind, kept))
        self.count += kind == RECORD

    def sync(self) -> None:
        """Make what was added safe from a power cut.

        Raises:
            StorageError: the disk is gone.
        """
        if self._unsynced:
            with _told("write", self.path(self._number)):
                os.fdatasync(self._descriptor)
            self._unsynced = False

    def close(self) -> None:
        """Close it; harmless when closed."""
        if self._descriptor >= 0:
            with contextlib.suppress(StorageError):
                self.sync()
            os.close(self._descriptor)
            self._descriptor = -1

    def end(self) -> Cursor:
        """The place behind the last entry."""
        return Cursor(self._number, self._size, self.count)

    def first(self) -> Cursor:
        """The oldest place there is."""
        for number in self.segments():
            found = self.start(number)
            if found is not None:
                return found
        return self.end()

    def read(self, at: Cursor, most_bytes: int = READ_BYTES) -> tuple[list[Entry], Cursor]:
        """Entries from a place on, at most so many bytes; the place to go on from. Where that place is dropped, from the oldest there is.

        Raises:
            StorageError: it cannot be read.
        """
        path = self.path(at.segment)
        try:
            with path.open("rb") as file:
                file.seek(at.offset)
                data = file.read(most_bytes)
        except FileNotFoundError:
            oldest = self.first()
            return ([], at) if oldest <= at else ([], oldest)
        except OSError as error:
            raise storage_error("read", path, error) from error
        found, offset, count = [], at.offset, at.count
        for kind, kept, after in _entries(data):
            offset = at.offset + after
            count += kind == RECORD
            found.append(Entry(kind, kept, Cursor(at.segment, offset, count)))
        place = Cursor(at.segment, offset, count)
        if not found and offset == at.offset and at.segment < self._number:
            # All of this one was read, or what follows is damaged.
            newer = next(
                (one for number in self.segments() if number > at.segment and (one := self.start(number))), None
            )
            place = newer or place
        return found, place

    def forget(self, before: Cursor) -> None:
        """Delete segments that lie wholly before a place; the newest two stay, by which repeats are known.

        Raises:
            StorageError: they cannot be.
        """
        for number in self.segments()[:-2]:
            if number >= before.segment:
                break
            self._delete(number)

    def path(self, number: int) -> Path:
        """File of a segment."""
        return self.folder / f"{number:012d}.spool"

    def segments(self) -> list[int]:
        """Numbers of those there are, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.spool") if path.stem.isdecimal())

    def bytes_kept(self) -> int:
        """Size of all of it."""
        total = 0
        for number in self.segments():
            with contextlib.suppress(FileNotFoundError):
                total += self.path(number).stat().st_size
        return total

    def _begin(self, now_ns: int) -> None:
        self.close()
        self._bound(now_ns)
        number = max(self._number, *self.segments(), 0) + 1
        path = self.path(number)
        with _told("write", path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._number, self._size = number, 0
        self._write(_packed(STATE, Kept(0, self.count, now_ns, now_ns, self._state())))

    def _bound(self, now_ns: int) -> None:
        """Drop the oldest until there is room for another segment within what is allowed."""
        segments = self.segments()
        size = self.bytes_kept()
        while len(segments) > 1:
            # What a segment holds is older than where the next one begins.
            begun = self._begun_ns(segments[1])
            old = begun is not None and now_ns - begun > self._days * _DAY_NS
            if not old and size + self._segment_bytes <= self._limit:
                return
            with contextlib.suppress(FileNotFoundError):
                size -= self.path(segments[0]).stat().st_size
            self._delete(segments.pop(0))

    def _delete(self, number: int) -> None:
        with _told("delete", self.path(number)):
            self.path(number).unlink(missing_ok=True)

    def start(self, number: int) -> Cursor | None:
        """The place at which a segment begins; None where there is none of that number."""
        head = self._head(number)
        return None if head is None else Cursor(number, 0, head.sequence)

    def _begun_ns(self, number: int) -> int | None:
        head = self._head(number)
        return None if head is None else head.received_ns

    def _head(self, number: int) -> Kept | None:
        with contextlib.suppress(OSError), self.path(number).open("rb") as file:
            return next((kept for kind, kept, _ in _entries(file.read(READ_BYTES)) if kind == STATE), None)
        return None

    def _write(self, data: bytes) -> None:
        path = self.path(self._number)
        try:
            written = os.write(self._descriptor, data)
            if written != len(data):
                raise OSError(28, "No space left on device")
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(path, self._size)
            raise storage_error("write", path, error) from error
        self._size += len(data)
        self._unsynced = True


def _packed(kind: int, kept: Kept) -> bytes:
    body = (
        _ENTRY.pack(0, len(kept.data), kind, kept.boot, kept.sequence, kept.received_ns, kept.captured_ns) + kept.data
    )
    return zlib.crc32(body[_CRC_BYTES:]).to_bytes(_CRC_BYTES, "little") + body[_CRC_BYTES:]


def _entries(data: bytes) -> Iterator[tuple[int, Kept, int]]:
    """Kind, content and end of each whole entry, until one is not."""
    at = 0
    while at + _ENTRY.size <= len(data):
        crc, length, kind, boot, sequence, received_ns, captured_ns = _ENTRY.unpack_from(data, at)
        end = at + _ENTRY.size + length
        if end > len(data) or zlib.crc32(data[at + _CRC_BYTES : end]) != crc:
            return
        yield kind, Kept(boot, sequence, received_ns, captured_ns, data[at + _ENTRY.size : end]), end
        at = end


@contextlib.contextmanager
def _told(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(what, path, error) from error
