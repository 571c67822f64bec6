"""What comes of listening, or from a recording."""

from dataclasses import dataclass

from thermo_core.recording.layout import Gap, LslSamples, LslStream, Marker
from thermo_core.recording.session import Session
from thermo_core.wire.records import Record, RecordHeader


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One record as it came.

    Attributes:
        received_ns: when its last byte was read, nanoseconds since 1970 UTC.
        captured_ns: when the device made it (of a block: the end of its capture), nanoseconds since 1970 UTC.
        header: type, sequence number and device time.
        record: the body.
        data: header and body, byte for byte as the wearable sent them.
    """

    received_ns: int
    captured_ns: int
    header: RecordHeader
    record: Record
    data: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """The wearable has fallen silent, and is waited for.

    Attributes:
        since_ns: last sign of it, nanoseconds since 1970 UTC.
        reason: why.
    """

    since_ns: int
    reason: str


Item = Telemetry | Gap | Marker | Lost | Session | LslStream | LslSamples
"""A session means that from here on it holds, and not the one before."""
