"""Telemetry records: what a wearable says unasked, as dataclasses and as bytes (little-endian)."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from thermo_core.errors import ProtocolVersionError, RecordError
from thermo_core.wire.counts import MAX_BYTES, PackedSubpage

PROTOCOL_VERSION = 1
SEQUENCES = 1 << 16
"""Sequence numbers wrap here."""

_HEADER = struct.Struct("<BBHQ")
_SUBPAGE = struct.Struct("<BBHIII")
_CHANNEL = struct.Struct("<hBh")
_VERDICT = struct.Struct("<IBBBB")
_VERDICT_END = struct.Struct("<IIBBHI")
_EVENT = struct.Struct("<HBI")
_CLOCK = struct.Struct("<QIIII")

_NO_TEMPERATURE = -32768
_MAX_TEXT = 512
_CHANNEL_STATES = 4


class RecordType(IntEnum):
    """Second byte of a record."""

    SUBPAGE = 1
    THERMISTORS = 2
    VERDICT = 3
    EVENT = 4
    CLOCK = 5


class Severity(IntEnum):
    """How much an event matters."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """What every record begins with.

    Attributes:
        type: see `RecordType`.
        sequence: counts all records of a line, modulo 65536; a gap is a loss.
        time_us: device's monotonic clock, microseconds; of a subpage, the end of its capture.
    """

    type: RecordType
    sequence: int
    time_us: int


@dataclass(frozen=True, slots=True)
class SubpageRecord:
    """Counts of one subpage.

    Attributes:
        time_us: end of the capture, device clock, microseconds.
        sensor: number of the sensor within the wearable.
        index: running number of the subpage at the device.
        packed: its counts, see `thermo_core.wire.counts`.
        generation: number of the constants that the sensor had, see `management.SensorInfo`.
    """

    time_us: int
    sensor: int
    index: int
    packed: PackedSubpage
    generation: int = 0


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """One thermistor.

    Attributes:
        counts: ADC result, signed 16 bits.
        state: 0 ok, 1 open, 2 shorted, 3 missing.
        celsius: degC to 0.01, or None where there is none.
    """

    counts: int
    state: int
    celsius: float | None


@dataclass(frozen=True, slots=True)
class ThermistorRecord:
    """One scan of a thermistor array.

    Attributes:
        time_us: end of the scan, device clock, microseconds.
        sensor: number of the array within the wearable.
        channels: one reading for each channel of the profile, in its order.
    """

    time_us: int
    sensor: int
    channels: tuple[ChannelReading, ...]


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """What the model said.

    Attributes:
        time_us: when it was said, device clock, microseconds.
        index: index of the newest subpage that it rests on.
        pictures: pictures averaged for it.
        alert: whether the profile's alert rule holds.
        uncalibrated: no per-pixel calibration was applied.
        fast_kernels: computed with kernels that are not bit-exact.
        simulated: the sensor is simulated.
        label: index of the winning label.
        scores: one for each label, 0 to 1.
        latency_us: end of the capture to the verdict.
        inference_us: the network alone.
        model_version: major, minor, revision, build of the bundle.
        doubtful: the sensor's constants are not those it was first seen or calibrated with, or no known sensor's.
    """

    time_us: int
    index: int
    pictures: int
    alert: bool
    uncalibrated: bool
    fast_kernels: bool
    simulated: bool
    label: int
    scores: tuple[float, ...]
    latency_us: int
    inference_us: int
    model_version: tuple[int, int, int, int]
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something happened that a person may want to read.

    Attributes:
        time_us: when, device clock, microseconds.
        code: what, for programs; docs/wire.md says where they are listed.
        severity: see `Severity`.
        count: how often since the start.
        text: one sentence; cut to 512 bytes of UTF-8 on the line.
    """

    time_us: int
    code: int
    severity: Severity
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """Sent about once a second, so that a host can relate clocks and see what never left the device.

    Attributes:
        time_us: device clock at sending, microseconds.
        unix_us: UTC of the device at that moment, microseconds since 1970; 0 where it does not know.
        lease_left_ms: milliseconds until streaming stops by itself.
        dropped: records the device dropped since its start because the line was full.
        captured: subpages captured since the start.
        lost: subpages missed since the start: overwritten or unreadable.
    """

    time_us: int
    unix_us: int
    lease_left_ms: int
    dropped: int
    captured: int
    lost: int


Record = SubpageRecord | ThermistorRecord | VerdictRecord | EventRecord | ClockRecord


def encode(record: Record, sequence: int) -> bytes:
    """A record as bytes, ready for `encode_frame`.

    Args:
        record: what to say.
        sequence: running number of the record on this line, taken modulo 65536.

    Raises:
        RecordError: a field does not fit.
    """
    try:
        kind, body = _encode_body(record)
        return _HEADER.pack(PROTOCOL_VERSION, kind, sequence % SEQUENCES, record.time_us) + body
    except (struct.error, ValueError) as error:
        name = type(record).__name__
        raise RecordError(f"A {name} has a field that does not fit the wire ({error}).") from error


def decode(data: bytes) -> tuple[RecordHeader, Record]:
    """Read a record.

    Raises:
        ProtocolVersionError: another version of the protocol.
        RecordError: an unknown type, a body cut short or too long, or a field that cannot be.
    """
    if not data:
        raise RecordError("An empty record came; drop it.")
    if data[0] != PROTOCOL_VERSION:
        side = "host" if data[0] > PROTOCOL_VERSION else "device"
        raise ProtocolVersionError(
            f"The device speaks version {data[0]} of the wire protocol and this host version {PROTOCOL_VERSION}; "
            f"update the {side}."
        )
    if len(data) < _HEADER.size:
        raise RecordError(f"A record of {len(data)} bytes is shorter than its {_HEADER.size}-byte header; drop it.")
    _, kind, sequence, time_us = _HEADER.unpack_from(data)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise RecordError(f"A record has the unknown type {kind}; skip it, or update the host if it matters.")
    try:
        record = decoder(data[_HEADER.size :], time_us)
    except (struct.error, UnicodeDecodeError) as error:
        name = RecordType(kind).name.lower()
        raise RecordError(f"A {name} record of {len(data)} bytes does not parse ({error}); drop it.") from error
    return RecordHeader(RecordType(kind), sequence, time_us), record


def sequence_gap(last: int, sequence: int) -> int:
    """Records lost between two that came in order, given their sequence numbers; 65536 in a row go unnoticed."""
    return (sequence - last - 1) % SEQUENCES


def _encode_body(record: Record) -> tuple[RecordType, bytes]:
    match record:
        case SubpageRecord():
            return RecordType.SUBPAGE, _encode_subpage(record)
        case ThermistorRecord():
            return RecordType.THERMISTORS, _encode_thermistors(record)
        case VerdictRecord():
            return RecordType.VERDICT, _encode_verdict(record)
        case EventRecord():
            return RecordType.EVENT, _encode_event(record)
        case ClockRecord():
            return RecordType.CLOCK, _encode_clock(record)


def _encode_subpage(record: SubpageRecord) -> bytes:
    packed = record.packed
    if packed.number not in (0, 1) or (packed.key and packed.key_index != record.index):
        raise RecordError(f"Subpage {record.index} contradicts its packed counts; pack it again.")
    flags = packed.number | packed.key << 1
    head = (record.sensor, flags, packed.control, record.index, packed.key_index, record.generation)
    return _SUBPAGE.pack(*head) + packed.data


def _decode_subpage(body: bytes, time_us: int) -> SubpageRecord:
    sensor, flags, control, index, key_index, generation = _SUBPAGE.unpack_from(body)
    key = bool(flags & 2)
    data = body[_SUBPAGE.size :]
    if flags > 3 or (key and key_index != index) or not 2 <= len(data) <= MAX_BYTES:
        raise RecordError(f"The record of subpage {index} contradicts itself; drop it.")
    return SubpageRecord(time_us, sensor, index, PackedSubpage(flags & 1, control, key, key_index, data), generation)


def _encode_thermistors(record: ThermistorRecord) -> bytes:
    channels = b"".join(_CHANNEL.pack(c.counts, c.state, _centi(c.celsius)) for c in record.channels)
    return bytes((record.sensor, len(record.channels))) + channels


def _centi(celsius: float | None) -> int:
    if celsius is None or not math.isfinite(celsius):
        return _NO_TEMPERATURE
    centi = round(celsius * 100)
    return centi if _NO_TEMPERATURE < centi <= 32767 else _NO_TEMPERATURE


def _decode_thermistors(body: bytes, time_us: int) -> ThermistorRecord:
    if len(body) < 2 or len(body) != 2 + body[1] * _CHANNEL.size:
        raise RecordError(f"A thermistor record of {len(body)} bytes does not fit its number of channels; drop it.")
    channels = []
    for counts, state, centi in _CHANNEL.iter_unpack(body[2:]):
        if state >= _CHANNEL_STATES:
            raise RecordError(f"A thermistor record has the unknown channel state {state}; drop it.")
        channels.append(ChannelReading(counts, state, None if centi == _NO_TEMPERATURE else centi / 100))
    return ThermistorRecord(time_us, body[0], tuple(channels))


def _encode_verdict(record: VerdictRecord) -> bytes:
    flags = (
        record.alert
        | record.uncalibrated << 1
        | record.fast_kernels << 2
        | record.simulated << 3
        | record.doubtful << 4
    )
    if not all(0 <= score <= 1 for score in record.scores):
        raise RecordError("A verdict has a score outside 0 to 1; check the model's output contract.")
    if record.label >= max(1, len(record.scores)):
        raise RecordError(f"A verdict names label {record.label} but has {len(record.scores)} scores.")
    scores = struct.pack(f"<{len(record.scores)}H", *(round(score * 65535) for score in record.scores))
    head = _VERDICT.pack(record.index, record.pictures, flags, record.label, len(record.scores))
    return head + scores + _VERDICT_END.pack(record.latency_us, record.inference_us, *record.model_version)


def _decode_verdict(body: bytes, time_us: int) -> VerdictRecord:
    index, pictures, flags, label, count = _VERDICT.unpack_from(body)
    if flags > 31 or label >= max(1, count) or len(body) != _VERDICT.size + 2 * count + _VERDICT_END.size:
        raise RecordError(f"The verdict on subpage {index} contradicts itself; drop it.")
    scores = struct.unpack_from(f"<{count}H", body, _VERDICT.size)
    latency_us, inference_us, *version = _VERDICT_END.unpack_from(body, _VERDICT.size + 2 * count)
    major, minor, revision, build = version
    return VerdictRecord(
        time_us=time_us,
        index=index,
        pictures=pictures,
        alert=bool(flags & 1),
        uncalibrated=bool(flags & 2),
        fast_kernels=bool(flags & 4),
        simulated=bool(flags & 8),
        doubtful=bool(flags & 16),
        label=label,
        scores=tuple(score / 65535 for score in scores),
        latency_us=latency_us,
        inference_us=inference_us,
        model_version=(major, minor, revision, build),
    )


def _encode_event(record: EventRecord) -> bytes:
    text = record.text.encode()[:_MAX_TEXT].decode(errors="ignore").encode()
    return _EVENT.pack(record.code, record.severity, record.count) + text


def _decode_event(body: bytes, time_us: int) -> EventRecord:
    code, severity, count = _EVENT.unpack_from(body)
    text = body[_EVENT.size :]
    if severity > Severity.ERROR or len(text) > _MAX_TEXT:
        raise RecordError(f"An event record has severity {severity} and {len(text)} bytes of text; drop it.")
    return EventRecord(time_us, code, Severity(severity), count, text.decode())


def _encode_clock(record: ClockRecord) -> bytes:
    return _CLOCK.pack(record.unix_us, record.lease_left_ms, record.dropped, record.captured, record.lost)


def _decode_clock(body: bytes, time_us: int) -> ClockRecord:
    unix_us, lease_left_ms, dropped, captured, lost = _CLOCK.unpack(body)
    return ClockRecord(time_us, unix_us, lease_left_ms, dropped, captured, lost)


_DECODERS: dict[int, Callable[[bytes, int], Record]] = {
    RecordType.SUBPAGE: _decode_subpage,
    RecordType.THERMISTORS: _decode_thermistors,
    RecordType.VERDICT: _decode_verdict,
    RecordType.EVENT: _decode_event,
    RecordType.CLOCK: _decode_clock,
}
