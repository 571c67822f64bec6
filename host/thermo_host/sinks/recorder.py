"""Recordings: MCAP files with everything a wearable sent, readable by any MCAP tool, and by us after any end.

Each record of the wire is a message, byte for byte. The log time of a message is its arrival, its publish time the moment it is
about, both in nanoseconds since 1970 UTC. The session (hello, profile, constants, corrections, person, subject, note) comes
first, in a metadata record and attachments, which `thermo_core.recording.layout` protects, and once more before the first
message for which another one holds. Gaps and markers are the host's, in JSON.
"""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from thermo_core import schema
from thermo_core.errors import StorageError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import (
    ATTACHMENTS,
    GAP_TOPIC,
    LSL_STREAM_TOPIC,
    LSL_TOPIC,
    MARKER_TOPIC,
    MCAP_PROFILE,
    RECORD_ENCODING,
    SESSION,
    TOPICS,
    Gap,
    LslSamples,
    LslStream,
    Marker,
    digest,
    sealed,
)
from thermo_core.recording.session import Session, to_metadata
from thermo_core.version import software_version
from thermo_host.link.items import Item, Telemetry
from thermo_host.sinks.logfile import LogFile
from thermo_host.sinks.mcap_writer import McapWriter

FLUSH_S = 0.25
"""Longest time a message waits before it is safe from a killed process."""
SYNC_S = 1.0
"""Longest time before it is safe from a power cut, as far as the disk keeps its word."""
TELL_S = 30.0
"""How often streams of others are described anew: what begins a window reads less than a minute before it, and a damaged piece takes
no more than that with it."""


class Recorder:
    """Writes a recording. Use it in a `with` block.

    Args:
        path: a new file.
        session: whose telemetry it will be.

    Attributes:
        messages: written so far.

    Raises:
        StorageError: the file exists, or the disk is full; then what was written before stays readable.
    """

    def __init__(self, path: Path, session: Session) -> None:
        self.path = path
        self.messages = 0
        self._channels: dict[str, int] = {}
        self._streams: dict[str, LslStream] = {}
        self._told = time.monotonic()
        self._file = LogFile(path)
        self._flushed = self._synced = time.monotonic()
        try:
            self._writer = McapWriter(self._file, MCAP_PROFILE, f"thermo-edge {software_version()}")
            self._begin(session)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            # After a failed write there is no room for an index; the file is readable without one.
            if not isinstance(value, StorageError):
                self._writer.finish()
                self._file.sync()
        finally:
            self._writer.close()
            self._file.close()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def add(self, item: Item) -> None:
        """Add a record, a gap, a marker or another session; of a loss only the gap is written, once its end is known.

        Raises:
            StorageError: the disk is full or gone.
        """
        if isinstance(item, Gap):
            self._add(GAP_TOPIC, item.to_ns, item.from_ns, msgspec.json.encode(item))
        elif isinstance(item, Marker):
            self._add(MARKER_TOPIC, item.at_ns, item.at_ns, msgspec.json.encode(item))
        elif isinstance(item, LslStream | LslSamples):
            self._add_foreign(item)
        elif isinstance(item, Telemetry):
            self._add(TOPICS[item.header.type][0], item.received_ns, item.captured_ns, item.data)
        elif isinstance(item, Session):
            self._writer.flush()  # what came before lies before it
            self._describe(item, time.time_ns())
            self._writer.flush()
        self.tick()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        self.add(item)

    def idle(self) -> None:
        """As `Sink`."""
        self.tick()

    def tick(self) -> None:
        """Call at least every FLUSH_S: commits what is due.

        Raises:
            StorageError: the disk is full or gone.
        """
        now = time.monotonic()
        if now - self._flushed >= FLUSH_S:
            self._writer.flush()
            self._flushed = now
        if self._streams and now - self._told >= TELL_S:
            self._told = now
            for stream in self._streams.values():
                self._tell_stream(stream)
        if now - self._synced >= SYNC_S:
            self._file.sync()
            self._synced = now

    def _begin(self, session: Session) -> None:
        self._describe(session, session.started_ns)
        # In the order of `layout.CHANNELS`.
        for topic, _ in TOPICS.values():
            self._channels[topic] = self._writer.add_channel(topic, RECORD_ENCODING)
        self._add_channels(((GAP_TOPIC, Gap), (MARKER_TOPIC, Marker)))
        self._writer.flush()

    def _add_channels(self, kinds: Sequence[tuple[str, type]]) -> None:
        for topic, kind in kinds:
            title = f"thermo.{kind.__name__}"
            described = json.dumps(schema.json_schema(kind, title)).encode()
            self._channels[topic] = self._writer.add_channel(topic, "json", title, described)

    def _add_foreign(self, item: LslStream | LslSamples) -> None:
        if LSL_TOPIC not in self._channels:
            self._add_channels(((LSL_STREAM_TOPIC, LslStream), (LSL_TOPIC, LslSamples)))
        if isinstance(item, LslSamples):
            self._add(LSL_TOPIC, item.received_ns, item.times_ns[0], msgspec.json.encode(item))
            return
        self._streams[item.name] = item
        self._tell_stream(item)

    def _tell_stream(self, item: LslStream) -> None:
        now_ns = time.time_ns()
        self._add(LSL_STREAM_TOPIC, now_ns, now_ns, msgspec.json.encode(item))

    def _describe(self, session: Session, now_ns: int) -> None:
        metadata, attachments = to_metadata(session, datetime.now(UTC).astimezone().isoformat()[-6:])
        self._attach(SESSION, metadata, attachments, now_ns)

    def _attach(self, name: str, content: Mapping[str, str], attachments: Mapping[str, bytes], now_ns: int) -> None:
        """Write a metadata record with its hash, and behind it the attachments that it announces."""
        announced = {name: digest(data) for name, data in attachments.items()}
        self._writer.add_metadata(name, sealed(name, {**content, ATTACHMENTS: json.dumps(announced)}))
        for each, data in attachments.items():
            self._writer.add_attachment(each, data, now_ns)

    def _add(self, topic: str, log_ns: int, publish_ns: int, data: bytes) -> None:
        self._writer.add_message(self._channels[topic], log_ns, publish_ns, self.messages & 0xFFFFFFFF, data)
        self.messages += 1
