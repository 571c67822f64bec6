"""What is in a recording: its heads (whose it is: `session.Session`) and its records, each checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from mcap.records import Metadata

from thermo_core.errors import ProtocolVersionError, RecordingError, WireError
from thermo_core.recording.container import Attachment, Container, Message, unreadable
from thermo_core.recording.layout import (
    ATTACHMENTS,
    FORMAT,
    GAP_TOPIC,
    LATEST_NS,
    LSL_STREAM_TOPIC,
    LSL_TOPIC,
    MARKER_TOPIC,
    OURS,
    SEAL,
    SESSION,
    TOPICS,
    UNRELEASED,
    Gap,
    LslSamples,
    LslStream,
    Marker,
    digest,
    seal_holds,
)
from thermo_core.typed import from_json
from thermo_core.wire import records
from thermo_core.wire.records import Record, RecordHeader

LARGEST_ATTACHMENT = 1 << 20
UNREADABLE = (RecordingError, WireError, ProtocolVersionError, msgspec.MsgspecError)
"""What `read_message` raises for content that cannot be a record."""


@dataclass(slots=True)
class Head:
    """What stands before the first message, and once more before the first one for which another session holds.

    Attributes:
        metadata: of the session.
        attachments: bytes by name.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)


class Seals:
    """Holds metadata and attachments of one recording to what they announce, wherever they lie in it.

    Args:
        path: how errors call the recording.
    """

    def __init__(self, path: object) -> None:
        self._path = path
        self._announced: dict[str, str] = {}

    def check_metadata(self, record: Metadata) -> bool:
        """Take a metadata record and what it announces; whether it is ours.

        Raises:
            RecordingError: it is damaged, or of a format that is not known.
        """
        content = record.metadata
        if record.name == SESSION:
            if content.get("format") in UNRELEASED:
                raise RecordingError(
                    f"{self._path} has format {content['format']}, which was never released; record it again."
                )
            if content.get("format") != FORMAT:
                raise RecordingError(
                    f"{self._path} has format {content.get('format')!r:.20} and this thermo-edge reads {FORMAT}; upgrade it, "
                    "or get the file again if it was damaged."
                )
            self._announced = {}
        if record.name not in OURS and SEAL not in content:
            return False
        if not seal_holds(record.name, content):
            raise self._damaged(f"its metadata {record.name!r:.40}")
        try:
            self._announced |= dict(json.loads(content.get(ATTACHMENTS, "{}")))
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damaged(f"its metadata {record.name!r:.40}") from error
        return True

    def check_attachment(self, attachment: Attachment) -> bool:
        """Take an attachment; whether it was announced.

        Raises:
            RecordingError: it is damaged.
        """
        announced = self._announced.pop(attachment.name, None)
        if announced not in (None, digest(attachment.data)):
            raise self._damaged(f"its attachment {attachment.name!r:.40}")
        return announced is not None

    def check_all_came(self) -> None:
        """To be called where all attachments that were announced must have come.

        Raises:
            RecordingError: one is missing.
        """
        missing, self._announced = self._announced, {}
        if missing:
            raise self._damaged(f"its attachment {next(iter(missing))!r:.40}")

    def _damaged(self, what: str) -> RecordingError:
        return RecordingError(f"{self._path} is damaged in {what}, so its numbers cannot be trusted; get a copy of it.")


class Heads:
    """Finds the heads among the records of a recording, and holds them to what they announce.

    Args:
        path: how errors call the recording.
    """

    def __init__(self, path: object) -> None:
        self._seals = Seals(path)
        self._head: Head | None = None

    def take(self, record: Metadata | Attachment | Message) -> Head | None:
        """Take a record; the head that ends with it, if one does.

        Raises:
            RecordingError: a head is damaged, and is none.
        """
        if isinstance(record, Message):
            return None if self._head is None else self.end()
        # What is damaged raises, and then there is no head.
        head, self._head = self._head, None
        if isinstance(record, Metadata):
            ours = self._seals.check_metadata(record)
            self._head = Head(record.metadata) if ours and record.name == SESSION else head
        else:
            known = self._seals.check_attachment(record)
            if known and head is not None and len(record.data) <= LARGEST_ATTACHMENT:
                head.attachments[record.name] = record.data
            self._head = head
        return None

    def end(self) -> Head | None:
        """The head that ends here, if one does.

        Raises:
            RecordingError: it is damaged, and is none.
        """
        head, self._head = self._head, None
        if head is not None:
            self._seals.check_all_came()
        return head


def read_head(container: Container, path: object) -> Head:
    """Read up to the first message.

    Args:
        container: an MCAP file at its beginning.
        path: how errors call it.

    Raises:
        RecordingError: it is no recording of ours, or a bit of metadata or attachments is not as it was written.
    """
    heads = Heads(path)
    head: Head | None = None
    for record in container:
        head = heads.take(record)
        if isinstance(record, Message):
            break
    else:
        head = heads.end()
    if head is None:
        raise unreadable(path, container)
    return head


Added = Gap | Marker | LslStream | LslSamples
"""What the host adds to what the wearable says."""
_ADDED: Mapping[str, type[Added]] = {
    GAP_TOPIC: Gap,
    MARKER_TOPIC: Marker,
    LSL_STREAM_TOPIC: LslStream,
    LSL_TOPIC: LslSamples,
}


def read_message(message: Message) -> tuple[RecordHeader, Record] | Added:
    """The record in a message, or what the host added.

    Raises:
        One of UNREADABLE: it cannot be one.
    """
    if not message.log_ns <= LATEST_NS >= message.publish_ns:
        raise RecordingError("A message lies beyond the year 2262.")
    added = _ADDED.get(message.topic)
    if added is not None:
        return from_json(message.data, added)
    header, record = records.decode(message.data)
    if message.topic != TOPICS[header.type][0]:
        raise RecordingError(f"A {header.type.name.lower()} record lies under {message.topic!r:.40}.")
    return header, record
