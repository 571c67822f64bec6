"""Numbers that are the same on both ends of the line and in C: versions, codes, counters, states, and the limits of a profile.

`python -m thermo_core.wire.generate` writes the C header and the tables of docs/wire.md from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from msgspec import Meta

PROTOCOL = 2
"""Version of records, codecs and commands; it stands in hello and in the first byte of every record."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A range both ends of which work.

    Attributes:
        low, high: least and greatest value.
        unit: in words; "" for a number of things.
        about: what it limits.
    """

    low: float
    high: float
    unit: str
    about: str


LIMITS: Mapping[str, Limit] = {
    "sensors": Limit(1, 32, "", "sensors of a wearable"),
    "stages": Limit(0, 128, "", "stages of a wearable"),
    "models": Limit(0, 8, "", "models of a wearable"),
    "model_inputs": Limit(1, 8, "", "inputs of a model"),
    "outputs": Limit(1, 64, "", "scores or quantities of a model"),
    "alerts": Limit(0, 32, "", "alerts of a wearable"),
    "average_pictures": Limit(1, 256, "", "samples that a running mean is of"),
    "learned": Limit(0, 61440, "bytes", "what the stages of a wearable learn of its wearer"),
    "learners": Limit(0, 8, "", "stages of a wearable that learn of its wearer"),
    "alert_findings": Limit(1, 65535, "", "findings in a row"),
    "alert_seconds": Limit(0, 86400, "s", "time for which a condition holds"),
    "kept_bytes": Limit(0, 8192, "bytes", "findings that a device keeps for a host that is away"),
    "kept_seconds": Limit(0, 3600, "s", "time for which it keeps them, and goes on measuring"),
}


def limited(name: str) -> Meta:
    """The limit as the length of a list in a type."""
    limit = LIMITS[name]
    return Meta(min_length=int(limit.low), max_length=int(limit.high))


def within(name: str) -> Meta:
    """The limit as the range of a number in a type."""
    limit = LIMITS[name]
    if limit.unit:
        return Meta(ge=limit.low, le=limit.high)
    return Meta(ge=int(limit.low), le=int(limit.high))


class RecordType(IntEnum):
    """Second byte of a record."""

    BLOCK = 1
    SIGNAL = 2
    FINDING = 3
    ALERT = 4
    EVENT = 5
    CLOCK = 6


class Severity(IntEnum):
    """How much an event matters."""

    INFO = 0
    WARNING = 1
    ERROR = 2


class OutputKind(IntEnum):
    """What the numbers of a finding are."""

    NONE = 0
    SCORES = 1
    QUANTITIES = 2


class Command(IntEnum):
    """Commands of SMP group 65."""

    HELLO = 0
    STREAM = 1
    CONSTANTS = 2
    CORRECTION = 3
    ROLLBACK = 4
    SELF_TEST = 5
    COUNTERS = 6
    RATE = 7
    REFUSAL = 8
    PROFILE = 9
    SIGNALS = 10
    FEED = 11
    PERSON = 12
    ALERTS = 13
    KEPT = 14
    BASELINE = 15
    LEARNED = 16


class GroupError(IntEnum):
    """Codes of the group (`err: {group: 65, rc: code}`); 0 is success."""

    OK = 0
    UNKNOWN = 1
    NO_SENSOR = 2
    NO_CORRECTION = 3
    WRONG_SENSOR = 4
    DAMAGED = 5
    BAD_OFFSET = 6
    BAD_RATE = 7
    NO_LEASE = 8
    STORAGE = 9
    IMPLAUSIBLE = 10
    NO_SUCH = 11


GROUP_ERRORS: Mapping[GroupError, str] = {
    GroupError.UNKNOWN: "not known",
    GroupError.NO_SENSOR: "no sensor of that number, or it does not answer",
    GroupError.NO_CORRECTION: "the correction slot asked for, or to roll back to, is empty",
    GroupError.WRONG_SENSOR: "the correction belongs to another sensor",
    GroupError.DAMAGED: "the correction fails its CRC or structure",
    GroupError.BAD_OFFSET: "a part does not continue the one before, or lies beyond the end",
    GroupError.BAD_RATE: "the sensor has no such rate",
    GroupError.NO_LEASE: "renewed, or given samples, or asked for signals, without a stream that runs",
    GroupError.STORAGE: "the device could not write",
    GroupError.IMPLAUSIBLE: "the correction or value contradicts physics, or what the sensor says of itself",
    GroupError.NO_SUCH: "no signal, alert or field of that name or number",
}


class StreamOp(IntEnum):
    """What to do with the stream."""

    STOP = 0
    START = 1
    RENEW = 2


NO_SENSOR = 0xFF
"""In an event that is about no sensor."""
MAX_EVENT_TEXT = 512
SIGNAL_VALUES = 480
"""Numbers in one record of a signal; a longer sample is sent in several."""
HELLO_SENSORS = 8
"""Most sensors in one answer to hello; a device may give fewer at a time."""
MAX_FED = 256
"""Numbers in a sample that a host gives."""
KEPT_EVERY_S = 5
"""A model that speaks more often than this has nothing kept."""
