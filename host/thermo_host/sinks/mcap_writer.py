"""Writing MCAP files of any length in bounded memory: what a reader needs to seek is put by on disk, not in memory.

The mcap package's writer remembers every chunk until the end, about 3.7 kB a second of a recording. Its record types are used
here, and its readers read the result.
"""

import contextlib
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Message,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from thermo_core.file_errors import storage_error
from thermo_core.recording.container import MAGIC
from thermo_host.sinks.logfile import LogFile

CHUNK_BYTES = 1 << 20
"""A chunk that has grown so large is closed before it is asked for."""
_BLOCK = 1 << 16


class McapWriter:
    """Writes into a log file, which is committed with every chunk.

    Args:
        file: new and empty.
        profile, library: for the header.

    Raises:
        StorageError: the disk is full or gone.
    """

    def __init__(self, file: LogFile, profile: str, library: str) -> None:
        self._file = file
        self._crc = 0
        self._chunk = RecordBuilder()
        self._times: list[int] = []
        self._indexes: dict[int, MessageIndex] = {}
        self._compressor = zstandard.ZstdCompressor()
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._attachments: list[AttachmentIndex] = []
        self._metadata: list[MetadataIndex] = []
        self._counts: Counter[int] = Counter()
        self._chunks = 0
        self._span = (0, 0)
        self._index = _Spool(file.path.parent)
        self._write(MAGIC)
        self._write(_bytes(Header(profile, library)))

    def add_metadata(self, name: str, content: Mapping[str, str]) -> None:
        """Add a metadata record."""
        data = _bytes(Metadata(name, dict(content)))
        self._metadata.append(MetadataIndex(self._file.tell(), len(data), name))
        self._write(data)

    def add_attachment(self, name: str, data: bytes, time_ns: int) -> None:
        """Add an attachment."""
        kind = "application/octet-stream"
        record = _bytes(Attachment(time_ns, time_ns, name, kind, data))
        self._attachments.append(
            AttachmentIndex(self._file.tell(), len(record), time_ns, time_ns, len(data), name, kind)
        )
        self._write(record)

    def add_channel(self, topic: str, encoding: str, schema_name: str = "", schema: bytes = b"") -> int:
        """Add a channel; its number, from 1 on in the order of these calls.

        Args:
            topic: of its messages.
            encoding: of its messages; "json" with a schema.
            schema_name: of the schema of its messages; none where it has no name.
            schema: as JSON.
        """
        number = len(self._channels) + 1
        if schema_name:
            self._schemas.append(Schema(number, schema, "jsonschema", schema_name))
            self._schemas[-1].write(self._chunk)
        self._channels.append(Channel(number, topic, encoding, {}, number if schema_name else 0))
        self._channels[-1].write(self._chunk)
        return number

    def add_message(self, channel: int, log_ns: int, publish_ns: int, sequence: int, data: bytes) -> None:
        """Add a message; it is safe from a killed process with the next `flush`."""
        index = self._indexes.setdefault(channel, MessageIndex(channel, []))
        index.records.append((log_ns, self._chunk.count))
        Message(channel, log_ns, data, publish_ns, sequence).write(self._chunk)
        self._times.append(log_ns)
        if self._chunk.count > CHUNK_BYTES:
            self._close_chunk()

    def flush(self) -> None:
        """Close the chunk and commit all of it.

        Raises:
            StorageError: the disk is full or gone.
        """
        self._close_chunk()
        self._file.flush()

    def finish(self) -> None:
        """Close the chunk and write what lets a reader seek.

        Raises:
            StorageError: the disk is full or gone; the file is readable without.
        """
        self._close_chunk()
        self._write(_bytes(DataEnd(self._crc)))
        self._file.flush()
        summary = _Summary(self._file)
        summary.group(Opcode.SCHEMA, map(_bytes, self._schemas))
        summary.group(Opcode.CHANNEL, map(_bytes, self._channels))
        summary.group(Opcode.STATISTICS, [_bytes(self._statistics())])
        summary.group(Opcode.CHUNK_INDEX, self._index.blocks())
        summary.group(Opcode.ATTACHMENT_INDEX, map(_bytes, self._attachments))
        summary.group(Opcode.METADATA_INDEX, map(_bytes, self._metadata))
        summary.finish()
        self._file.flush()

    def close(self) -> None:
        """Let go of what was put by; harmless when closed."""
        self._index.close()

    def _close_chunk(self) -> None:
        if not self._chunk.count:
            return
        plain = self._chunk.end()
        span = (min(self._times), max(self._times)) if self._times else (0, 0)
        packed = self._compressor.compress(plain)
        chunk = _bytes(Chunk("zstd", packed, span[1], span[0], zlib.crc32(plain), len(plain)))
        start, at = self._file.tell(), self._file.tell() + len(chunk)
        offsets, indexes = {}, []
        for number, index in self._indexes.items():
            offsets[number] = at
            indexes.append(_bytes(index))
            at += len(indexes[-1])
            self._counts[number] += len(index.records)
        length = at - start - len(chunk)
        self._write(chunk)
        self._write(b"".join(indexes))
        self._index.add(
            _bytes(ChunkIndex(len(chunk), start, "zstd", len(packed), span[1], length, offsets, span[0], len(plain)))
        )
        self._chunks += 1
        if self._times:
            self._span = (min(self._span[0], span[0]) if self._span[1] else span[0], max(self._span[1], span[1]))
        self._times, self._indexes = [], {}

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=len(self._attachments),
            channel_count=len(self._channels),
            channel_message_counts=dict(self._counts),
            chunk_count=self._chunks,
            message_count=self._counts.total(),
            message_end_time=self._span[1],
            message_start_time=self._span[0],
            metadata_count=len(self._metadata),
            schema_count=len(self._schemas),
        )

    def _write(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._file.write(data)


class _Summary:
    """The summary at the end, written block by block with its CRC."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._start = file.tell()
        self._crc = 0
        self._offsets: list[SummaryOffset] = []

    def group(self, opcode: Opcode, blocks: Iterable[bytes]) -> None:
        start = self._file.tell()
        for block in blocks:
            self._write(block)
            self._file.flush()
        if self._file.tell() > start:
            length = self._file.tell() - start
            self._offsets.append(SummaryOffset(group_opcode=opcode, group_start=start, group_length=length))

    def finish(self) -> None:
        start = self._file.tell()
        for offset in self._offsets:
            self._write(_bytes(offset))
        # The CRC covers the footer up to itself.
        head = _bytes(Footer(self._start, start, 0))[:-4]
        self._file.write(_bytes(Footer(self._start, start, zlib.crc32(head, self._crc))) + MAGIC)

    def _write(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._file.write(data)


class _Spool:
    """Bytes put by in a file without a name, which goes with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise storage_error("write", folder, error) from error

    def add(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise storage_error("write", self._folder, error) from error

    def blocks(self) -> Iterator[bytes]:
        try:
            self._file.seek(0)
            while block := self._file.read(_BLOCK):
                yield block
        except OSError as error:
            raise storage_error("read", self._folder, error) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _bytes(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())
