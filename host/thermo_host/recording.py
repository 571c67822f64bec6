"""Recordings: MCAP files with everything a wearable sent, readable by any MCAP tool, and by us after any end.

Each telemetry record is a JSON message of a topic with a JSON schema; counts stay packed as the device packed them. The
log time of a message is its arrival, its publish time the capture, both in nanoseconds since 1970 UTC. The session
(hello, EEPROMs, calibration, profile) comes first, in a metadata record and attachments, which
`thermo_core.recording.layout` protects, and once more before the first message for which another one holds.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from thermo_core.errors import StorageError
from thermo_core.profile import NOTICE
from thermo_core.recording.layout import (
    ATTACHMENTS,
    CALIBRATION_NAME,
    FORMAT,
    GAP_TOPIC,
    MCAP_PROFILE,
    PROFILE_NAME,
    SESSION,
    TOPICS,
    Gap,
    digest,
    eeprom_name,
    sealed,
)
from thermo_core.recording.plain import schema, to_plain
from thermo_core.version import software_version
from thermo_host.lease import Telemetry
from thermo_host.logfile import LogFile
from thermo_host.mcap_writer import McapWriter
from thermo_host.session import Item, Session

FLUSH_S = 0.25
"""Longest time a message waits before it is safe from a killed process."""
SYNC_S = 1.0
"""Longest time before it is safe from a power cut, as far as the disk keeps its word."""

_SEQUENCE = {"type": "integer", "description": "running number of the record on its line, modulo 65536"}


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
        """Add a record, a gap or another session; of a loss only the gap is written, once its end is known.

        Raises:
            StorageError: the disk is full or gone.
        """
        if isinstance(item, Gap):
            self._add(GAP_TOPIC, to_plain(item), item.to_ns, item.from_ns)
        elif isinstance(item, Telemetry):
            self._add_telemetry(item)
        elif isinstance(item, Session):
            self._writer.flush()  # what came before lies before it
            self._describe(item, time.time_ns())
            self._writer.flush()
        self.tick()

    def _add_telemetry(self, telemetry: Telemetry) -> None:
        topic = next(topic for topic, (kind, _, _) in TOPICS.items() if isinstance(telemetry.record, kind))
        message = {"sequence": telemetry.header.sequence, **to_plain(telemetry.record)}
        self._add(topic, message, telemetry.received_ns, telemetry.captured_ns)

    def tick(self) -> None:
        """Call at least every FLUSH_S: commits what is due.

        Raises:
            StorageError: the disk is full or gone.
        """
        now = time.monotonic()
        if now - self._flushed >= FLUSH_S:
            self._writer.flush()
            self._flushed = now
        if now - self._synced >= SYNC_S:
            self._file.sync()
            self._synced = now

    def _begin(self, session: Session) -> None:
        self._describe(session, session.started_ns)
        for topic, (kind, _, text) in TOPICS.items():
            self._channels[topic] = self._register(topic, kind, text)
        self._channels[GAP_TOPIC] = self._register(GAP_TOPIC, Gap, "A time in which the host heard nothing.")
        self._writer.flush()

    def _describe(self, session: Session, now_ns: int) -> None:
        attachments = {eeprom_name(number): words.astype("<u2").tobytes() for number, words in session.eeproms.items()}
        if session.correction is not None:
            attachments[CALIBRATION_NAME] = session.correction.to_bytes()
        if session.profile_cbor:
            attachments[PROFILE_NAME] = session.profile_cbor
        self._attach(
            SESSION,
            {
                "format": FORMAT,
                "started": session.started.isoformat(timespec="microseconds"),
                "started_ns": str(session.started_ns),
                "host_zone": datetime.now(UTC).astimezone().isoformat()[-6:],
                "port": session.port,
                "hello": json.dumps(to_plain(session.hello)),
                "notice": NOTICE,
            },
            attachments,
            now_ns,
        )

    def _attach(self, name: str, content: Mapping[str, str], attachments: Mapping[str, bytes], now_ns: int) -> None:
        """Write a metadata record with its hash, and behind it the attachments that it announces."""
        announced = {name: digest(data) for name, data in attachments.items()}
        self._writer.add_metadata(name, sealed(name, {**content, ATTACHMENTS: json.dumps(announced)}))
        for each, data in attachments.items():
            self._writer.add_attachment(each, data, now_ns)

    def _register(self, topic: str, kind: type[Any], description: str) -> int:
        described = schema(kind, f"thermo.{kind.__name__}", description)
        if topic in TOPICS:
            described["properties"] = {"sequence": _SEQUENCE, **described["properties"]}
            described["required"] = ["sequence", *described["required"]]
        return self._writer.add_channel(topic, described["title"], json.dumps(described).encode())

    def _add(self, topic: str, message: dict[str, Any], log_ns: int, publish_ns: int) -> None:
        data = json.dumps(message, separators=(",", ":")).encode()
        self._writer.add_message(self._channels[topic], log_ns, publish_ns, self.messages & 0xFFFFFFFF, data)
        self.messages += 1
