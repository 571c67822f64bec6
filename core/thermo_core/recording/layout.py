"""What a recording holds: topics and their messages, and how each metadata record and attachment proves itself.

Messages of the wearable are its records byte for byte as docs/wire.md has them, so that nothing is lost or rounded; the log time is
their arrival, the publish time the moment they are about, both in nanoseconds since 1970 UTC. What the host adds is JSON.

MCAP protects its chunks by CRCs, but a metadata record not at all, and no reader checks an attachment. So each metadata record
carries the SHA-256 of itself, and the names and SHA-256 of attachments stand in a metadata record before them: a flipped
bit is noticed, a lost attachment is missed, and one that nobody announced is somebody else's.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.schema import Record
from thermo_core.wire.table import RecordType

MCAP_PROFILE = "thermo-edge"
FORMAT = "3"
UNRELEASED = ("1", "2")
"""Formats that were never released."""

SESSION = "session"
"""Name of the metadata record that says whose recording it is."""
ANNOUNCEMENT = "attachments"
"""Name of a later metadata record that announces attachments behind it."""
OURS = frozenset({SESSION, ANNOUNCEMENT})
"""Metadata records that must carry their hash; those of other names and without one are somebody else's."""
SEAL = "sha256"
"""Key of a metadata record's own hash."""
ATTACHMENTS = "attachments"
"""Key under which a metadata record announces attachments, as a JSON object of SHA-256 by name."""

PROFILE_NAME = "profile.cbor"
LEARNED_NAME = "learned.bin"
RECORD_ENCODING = "thermo-record"
"""Message encoding of records of the wire."""

TOPICS: Mapping[RecordType, tuple[str, str]] = {
    RecordType.BLOCK: ("/block", "What a sensor said once, packed losslessly."),
    RecordType.SIGNAL: ("/signal", "A sample of a signal that the host had asked for."),
    RecordType.FINDING: ("/finding", "What a model said. Informs only. Not a medical device."),
    RecordType.ALERT: ("/alert", "A step of an alert. Informs only. Not a medical device."),
    RecordType.EVENT: ("/event", "Something that happened on the wearable."),
    RecordType.CLOCK: ("/clock", "The wearable's clock and what it lost."),
}
"""Topic of each type of record, and what it is in words."""
GAP_TOPIC, MARKER_TOPIC = "/gap", "/marker"
LSL_STREAM_TOPIC, LSL_TOPIC = "/lsl-stream", "/lsl"
"""Of streams of others, which most recordings have not."""
CHANNELS = dict(
    enumerate((*(topic for topic, _ in TOPICS.values()), GAP_TOPIC, MARKER_TOPIC, LSL_STREAM_TOPIC, LSL_TOPIC), start=1)
)
"""Topic of each channel, also where the record that says so is lost."""

LATEST_NS = (1 << 63) - 1
"""In the year 2262; up to there a date is a date."""
_Nanoseconds = Annotated[int, Meta(ge=0, le=LATEST_NS)]


class Gap(Record, frozen=True):
    """A time in which the host heard nothing.

    Attributes:
        from_ns, to_ns: nanoseconds since 1970 UTC of its ends.
        reason: why.
    """

    from_ns: _Nanoseconds
    to_ns: _Nanoseconds
    reason: Annotated[str, Meta(max_length=512)]


class Marker(Record, frozen=True):
    """A moment that a person marked.

    Attributes:
        at_ns: nanoseconds since 1970 UTC.
        text: what it is; "" where nothing was said.
    """

    at_ns: _Nanoseconds
    text: Annotated[str, Meta(max_length=512)] = ""


MOST_CHANNELS = 4096
LONGEST_TEXT = 4096
"""Characters of a text that a stream of others gives."""
_Word = Annotated[str, Meta(max_length=200)]
_Seconds = Annotated[float, Meta(ge=-1e12, le=1e12)]


class LslStream(Record, frozen=True):
    """A stream of somebody else that goes into the recording (Lab Streaming Layer); repeated now and then.

    Attributes:
        name: its own within the recording.
        kind: what its sender calls its type, "EEG" say.
        source_id, hostname: of its sender.
        manufacturer: of what it is of.
        format: of its numbers, or "string".
        rate_hz: samples a second; 0 where they come when something happens.
        labels, units: of its channels.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: _Word
    source_id: _Word
    hostname: _Word
    manufacturer: _Word
    format: Literal["float32", "double64", "string", "int32", "int16", "int8", "int64"]
    rate_hz: Annotated[float, Meta(ge=0, le=1e7)]
    labels: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=MOST_CHANNELS)]
    units: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=MOST_CHANNELS)]


class LslSamples(Record, frozen=True):
    """Samples of such a stream.

    Attributes:
        name: of it.
        received_ns: when they were taken, nanoseconds since 1970 UTC.
        times_ns: of each, nanoseconds since 1970 UTC on the clock of the wearable's session; the offset is in them.
        offset_s: what was added to its sender's LSL time stamps to have them on this computer's LSL clock.
        values: of each its channels; None for a number that is none. Nothing where they are texts.
        texts: of each its channels. Nothing where they are numbers.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    received_ns: _Nanoseconds
    times_ns: Annotated[tuple[_Nanoseconds, ...], Meta(min_length=1)]
    offset_s: _Seconds
    values: tuple[tuple[int | float | None, ...], ...] = ()
    texts: tuple[tuple[Annotated[str, Meta(max_length=LONGEST_TEXT)], ...], ...] = ()

    def __post_init__(self) -> None:
        rows = self.values or self.texts
        if len(rows) != len(self.times_ns) or (self.values and self.texts) or len(set(map(len, rows))) != 1:
            raise ValueError("rows and times differ")


def constants_name(sensor: int) -> str:
    """Name of the attachment with a sensor's constants."""
    return f"constants-{sensor}.bin"


def correction_name(sensor: int) -> str:
    """Name of the attachment with a sensor's correction."""
    return f"correction-{sensor}.bin"


def sensor_of(name: str, kind: str) -> int | None:
    """Sensor number in the name of an attachment, "constants" or "correction"; None for another attachment."""
    digits = name.removeprefix(f"{kind}-").removesuffix(".bin")
    return int(digits) if digits.isdecimal() and digits.isascii() and name == f"{kind}-{int(digits)}.bin" else None


def sealed(name: str, content: Mapping[str, str]) -> dict[str, str]:
    """The content of a metadata record with its own hash."""
    return {**content, SEAL: _seal(name, content)}


def seal_holds(name: str, content: Mapping[str, str]) -> bool:
    """Whether a metadata record is as it was written."""
    return content.get(SEAL) == _seal(name, content)


def digest(data: bytes) -> str:
    """What announces an attachment."""
    return hashlib.sha256(data).hexdigest()


def _seal(name: str, content: Mapping[str, str]) -> str:
    body = {key: value for key, value in content.items() if key != SEAL}
    return digest(json.dumps([name, body], sort_keys=True).encode())
