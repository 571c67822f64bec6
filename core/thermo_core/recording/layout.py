"""What a recording holds: topics and their records, and how each metadata record and attachment proves itself.

MCAP protects its chunks by CRCs, but a metadata record not at all, and no reader checks an attachment. So each metadata record
carries the SHA-256 of itself, and the names and SHA-256 of attachments stand in a metadata record before them: a flipped
bit is noticed, a lost attachment is missed, and one that nobody announced is somebody else's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.wire.records import (
    ClockRecord,
    EventRecord,
    Record,
    RecordType,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)

MCAP_PROFILE = "thermo-edge"
FORMAT = "2"
READABLE = ("1", FORMAT)
"""Format 1 has no hashes."""

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

CALIBRATION_NAME = "calibration.bin"
PROFILE_NAME = "profile.cbor"

TOPICS: dict[str, tuple[type[Record], RecordType, str]] = {
    "/subpage": (
        SubpageRecord,
        RecordType.SUBPAGE,
        "One subpage of raw counts, losslessly packed; docs/wire.md tells how to unpack them.",
    ),
    "/thermistors": (ThermistorRecord, RecordType.THERMISTORS, "One scan of the thermistors."),
    "/verdict": (VerdictRecord, RecordType.VERDICT, "What the model says. Informs only. Not a medical device."),
    "/event": (EventRecord, RecordType.EVENT, "Something that happened on the wearable."),
    "/clock": (ClockRecord, RecordType.CLOCK, "The wearable's clock and what it lost."),
}
GAP_TOPIC = "/gap"
CHANNELS = dict(enumerate((*TOPICS, GAP_TOPIC), start=1))
"""Topic of each channel, also where the record that says so is lost."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the host heard nothing.

    Attributes:
        from_ns, to_ns: nanoseconds since 1970 UTC of its ends.
        reason: why.
    """

    from_ns: int
    to_ns: int
    reason: str


def eeprom_name(sensor: int) -> str:
    """Name of the attachment with a sensor's EEPROM, 832 little-endian words."""
    return f"eeprom-{sensor}.bin"


def eeprom_sensor(name: str) -> int | None:
    """Inverse of `eeprom_name`; None for another attachment."""
    digits = name.removeprefix("eeprom-").removesuffix(".bin")
    return int(digits) if digits.isdecimal() and digits.isascii() and eeprom_name(int(digits)) == name else None


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
