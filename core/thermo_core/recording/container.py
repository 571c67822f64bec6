"""Reading MCAP files of any origin in bounded memory: what can be trusted is given, what cannot is counted.

The mcap package's own readers check no attachment and open a chunk of any announced size, so records are taken apart here
with its record types.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Metadata

from thermo_core.errors import RecordingError
from thermo_core.recording.layout import CHANNELS

MAGIC = bytes((137, 77, 67, 65, 80, 48, 13, 10))
LARGEST_RECORD = 32 << 20
"""Bytes of a record, and of a chunk that was opened; ours have 1 MiB, those of other tools 4."""
LARGEST_MESSAGE = 256 << 10

_HEAD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_MESSAGE_CODE = int(Opcode.MESSAGE)
_CRC = struct.Struct("<I")
_DAMAGE = (McapError, zstandard.ZstdError, struct.error, ValueError, OverflowError)
_INDEXES = {
    Opcode.HEADER,
    Opcode.SCHEMA,
    Opcode.MESSAGE_INDEX,
    Opcode.CHUNK_INDEX,
    Opcode.ATTACHMENT_INDEX,
    Opcode.STATISTICS,
    Opcode.METADATA_INDEX,
    Opcode.SUMMARY_OFFSET,
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment whose CRC holds.

    Attributes:
        name: of it.
        data: its bytes.
    """

    name: str
    data: bytes


class Message(NamedTuple):
    """A message of a chunk whose CRC holds.

    Attributes:
        topic: of its channel, "" where that is not known.
        log_ns, publish_ns: nanoseconds since 1970 UTC.
        data: its bytes.
    """

    topic: str
    log_ns: int
    publish_ns: int
    data: bytes


Wanted = Callable[[int, int], bool]
"""Whether a chunk is wanted, by the log times of its first and last message, ns."""


class Container:
    """An MCAP file. Iterate over it once for its metadata, attachments and messages in the order in which they lie there.

    Args:
        stream: the file, at its beginning.
        size: bytes of it.
        wanted: chunks that hold messages and are not wanted are passed over unread.

    Attributes:
        position: bytes read so far.
        complete: whether the end came that a finished file has.
        damaged: pieces left out so far because their CRC or structure does not hold.
        foreign: a compression that this reader does not know, "" where there was none.
    """

    def __init__(self, stream: IO[bytes], size: int, wanted: Wanted | None = None) -> None:
        self.position = 0
        self.complete = False
        self.damaged = 0
        self.foreign = ""
        self._stream = stream
        self._size = size
        self._wanted = wanted
        self._crc = 0
        self._skipped = False
        self._topics = dict(CHANNELS)

    def __iter__(self) -> Iterator[Metadata | Attachment | Message]:
        if self._read(len(MAGIC)) != MAGIC:
            return
        while True:
            crc = self._crc
            head = self._read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            opcode, length = _HEAD.unpack(head)
            if length > self._size - self.position or (length > LARGEST_RECORD and opcode not in _INDEXES):
                # The end of a cut file, or a damaged length: nothing after it can be found.
                return
            if opcode == Opcode.FOOTER:
                self.complete = True
                return
            if opcode == Opcode.DATA_END:
                self._check_end(self._read(length), crc)
            elif opcode in _INDEXES:
                self._pass(length)
            elif opcode == Opcode.CHUNK:
                yield from self._chunk(length)
            else:
                yield from self._record(opcode, self._read(length))

    def _record(self, opcode: int, data: bytes) -> Iterator[Metadata | Attachment | Message]:
        try:
            if opcode == Opcode.METADATA:
                yield Metadata.read(_stream(data))
            elif opcode == Opcode.ATTACHMENT:
                yield _attachment(data)
            elif opcode == Opcode.CHANNEL:
                self._channel(data)
            elif opcode == Opcode.MESSAGE:
                yield self._message(data)
            else:
                self.damaged += 1
        except _DAMAGE:
            self.damaged += 1

    def _channel(self, data: bytes) -> None:
        channel = Channel.read(_stream(data))
        self._topics[channel.id] = channel.topic

    def _message(self, data: bytes) -> Message:
        channel, _, log_ns, publish_ns = _MESSAGE.unpack_from(data)
        if len(data) > LARGEST_MESSAGE:
            raise ValueError("too long")
        return Message(self._topics.get(channel, ""), log_ns, publish_ns, data[_MESSAGE.size :])

    def _chunk(self, length: int) -> Iterator[Metadata | Attachment | Message]:
        times = self._read(min(length, 16))
        if self._wanted is not None and len(times) == 16:
            first, last = struct.unpack("<QQ", times)
            if last and not self._wanted(first, last):
                self._pass(length - 16)
                return
        try:
            plain = self._opened(Chunk.read(_stream(times + self._read(length - len(times)))))
        except _DAMAGE:
            self.damaged += 1
            return
        at = 0
        while at < len(plain):
            if len(plain) - at < _HEAD.size:
                self.damaged += 1
                return
            opcode, inside = _HEAD.unpack_from(plain, at)
            at += _HEAD.size
            if inside > len(plain) - at:
                self.damaged += 1
                return
            if opcode == _MESSAGE_CODE and _MESSAGE.size <= inside <= LARGEST_MESSAGE:
                yield self._message(plain[at : at + inside])
            elif opcode != Opcode.SCHEMA:
                yield from self._record(opcode, plain[at : at + inside])
            at += inside

    def _opened(self, chunk: Chunk) -> bytes:
        size = chunk.uncompressed_size
        if size > LARGEST_RECORD:
            raise ValueError("too large")
        if chunk.compression == "zstd":
            # What the frame announces is allocated, whatever limit is given.
            if zstandard.frame_content_size(chunk.data) not in (-1, size):
                raise ValueError("sizes differ")
            opener = zstandard.ZstdDecompressor(max_window_size=LARGEST_RECORD)
            plain: bytes = opener.decompress(chunk.data, max_output_size=max(1, size))
        elif chunk.compression == "":
            plain = chunk.data
        else:
            self.foreign = chunk.compression
            raise ValueError("unknown compression")
        if len(plain) != size or chunk.uncompressed_crc not in (0, zlib.crc32(plain)):
            raise ValueError("CRC")
        return plain

    def _check_end(self, data: bytes, crc: int) -> None:
        expected = _CRC.unpack(data)[0] if len(data) == _CRC.size else None
        # Where nothing else was found wrong, something was turned into what is passed over.
        if not self.damaged and not self._skipped and expected not in (0, crc):
            self.damaged += 1

    def _read(self, length: int) -> bytes:
        data = self._stream.read(length)
        self.position += len(data)
        self._crc = zlib.crc32(data, self._crc)
        return data

    def _pass(self, length: int) -> None:
        if self._wanted is None:
            while length > 0 and (data := self._read(min(length, 1 << 20))):
                length -= len(data)
        else:
            self._stream.seek(length, io.SEEK_CUR)
            self.position += length
            self._skipped = True


def unreadable(path: object, container: Container) -> RecordingError:
    """The error for a file of which nothing could be read."""
    if container.foreign:
        return RecordingError(
            f"{path} is compressed with {container.foreign!r:.20}, which is not read here; convert it to zstd with "
            "`mcap compress`."
        )
    return RecordingError(f"{path} is no recording of thermo-host, or was cut in its first bytes; try another.")


def _attachment(data: bytes) -> Attachment:
    stream = _stream(data)
    stream.read(16)
    name = stream.read_prefixed_string()
    stream.read_prefixed_string()
    length = stream.read8()
    if length != len(data) - stream.count - _CRC.size:
        raise ValueError("length")
    content = stream.read(length)
    if _CRC.unpack(stream.read(_CRC.size))[0] not in (0, zlib.crc32(data[: -_CRC.size])):
        raise ValueError("CRC")
    return Attachment(name, content)


def _stream(data: bytes) -> Any:
    return ReadDataStream(io.BytesIO(data))
