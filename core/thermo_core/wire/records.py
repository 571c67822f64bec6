"""Telemetry records: what a wearable says unasked, as dataclasses and as bytes (little-endian)."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ProtocolVersionError, RecordError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.graph.findings import SCORE_STEPS
from thermo_core.sensors.kind import Block
from thermo_core.wire.table import (
    LIMITS,
    MAX_EVENT_TEXT,
    NO_SENSOR,
    PROTOCOL,
    SIGNAL_VALUES,
    OutputKind,
    RecordType,
    Severity,
)

SEQUENCES = 1 << 16
"""Sequence numbers wrap here."""
MAX_BLOCK = 1200
"""Longest data of a block."""

_HEADER = struct.Struct("<BBHQ")
_BLOCK = struct.Struct("<BHI")
_SIGNAL = struct.Struct("<BHHH")
_FINDING = struct.Struct("<BHIII")
_NEWEST = struct.Struct("<BI")
_ALERT = struct.Struct("<BBHQf")
_EVENT = struct.Struct("<HBBI")
_CLOCK = struct.Struct("<QIIII")
_OUTPUT_KINDS = tuple(OutputKind)


class RecordHeader(NamedTuple):
    """What every record begins with.

    Attributes:
        type: see `RecordType`.
        sequence: counts all records of a line, modulo 65536; a gap is a loss.
        time_us: device's monotonic clock, microseconds; of a block, the end of its capture.
    """

    type: RecordType
    sequence: int
    time_us: int


@dataclass(frozen=True, eq=False, slots=True)
class SignalRecord:
    """A part of a sample of a signal, sent because a host asked for it.

    Attributes:
        time_us: of the sample, device clock, microseconds.
        signal: its number: signals of sensors in their order, then stages and models in the order of the plan.
        flags: `Quality`.
        first: place of the first number within the sample.
        values: (n,) float32.
    """

    time_us: int
    signal: int
    flags: int
    first: int
    elements: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """What a model said.

    Attributes:
        time_us: of the moment it is about, device clock, microseconds.
        model: its number within the profile.
        flags: `Quality`.
        bundle: first four bytes of the SHA-256 of the bundle's image, as a little-endian number.
        latency_us: end of the capture to the finding.
        inference_us: the network alone.
        newest: number and newest block of each sensor it rests on; none of a finding that was fetched later, of which that is not kept.
        kind: what the values are.
        values: scores of 0 to 1, or quantities; none where there is no value.
    """

    time_us: int
    model: int
    flags: int
    bundle: int
    latency_us: int
    inference_us: int
    newest: tuple[tuple[int, int], ...]
    kind: OutputKind
    values: tuple[float, ...]

    @property
    def fetched(self) -> bool:
        """Whether the host asked for it, as it was away or had not taken it from the line yet."""
        return not self.newest


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """A step of an alert, and where it stands when a host begins to listen.

    Attributes:
        time_us: when it was said.
        change: the step.
    """

    time_us: int
    change: AlertChange


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something happened that a person may want to read.

    Attributes:
        time_us: when, device clock, microseconds.
        code: what, for programs; see `events.EVENTS`.
        severity: see `Severity`.
        sensor: it is about; None for none.
        count: how often since the start.
        text: one sentence; cut to `MAX_EVENT_TEXT` bytes of UTF-8 on the line.
    """

    time_us: int
    code: int
    severity: Severity
    sensor: int | None
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
        captured: blocks captured since the start.
        lost: blocks missed since the start: overwritten or unreadable.
    """

    time_us: int
    unix_us: int
    lease_left_ms: int
    dropped: int
    captured: int
    lost: int


Record = Block | SignalRecord | FindingRecord | AlertRecord | EventRecord | ClockRecord


def encode(record: Record, sequence: int) -> bytes:
    """A record as bytes, ready for `encode_frame`.

    Args:
        record: what to say.
        sequence: running number of the record on this line, taken modulo 65536.

    Raises:
        RecordError: a field does not fit.
    """
    kind, encoder = _ENCODERS[type(record)]
    try:
        return _HEADER.pack(PROTOCOL, kind, sequence % SEQUENCES, record.time_us) + encoder(record)
    except (struct.error, ValueError, OverflowError) as error:
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
    if data[0] != PROTOCOL:
        raise ProtocolVersionError(other_version(data[0]))
    if len(data) < _HEADER.size:
        raise RecordError(f"A record of {len(data)} bytes is shorter than its {_HEADER.size}-byte header; drop it.")
    _, kind, sequence, time_us = _HEADER.unpack_from(data)
    known = _DECODERS.get(kind)
    if known is None:
        raise RecordError(f"A record has the unknown type {kind}; skip it, or update the host if it matters.")
    named, decoder = known
    try:
        record = decoder(data[_HEADER.size :], time_us)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        name = named.name.lower()
        raise RecordError(f"A {name} record of {len(data)} bytes does not parse ({error}); drop it.") from error
    return RecordHeader(named, sequence, time_us), record


def other_version(spoken: int) -> str:
    """What to do about a device that speaks another version of the protocol, as a sentence."""
    if spoken == 1:
        return (
            "The device speaks version 1 of the wire protocol, which was never released; install this version of thermo-edge "
            "on it."
        )
    side = "host" if spoken > PROTOCOL else "device"
    return (
        f"The device speaks version {spoken} of the wire protocol and this host version {PROTOCOL}; update the {side}."
    )


def sequence_gap(last: int, sequence: int) -> int:
    """Records lost between two that came in order, given their sequence numbers; 65536 in a row go unnoticed."""
    return (sequence - last - 1) % SEQUENCES


def signal_parts(time_us: int, signal: int, flags: int, values: NDArray[np.float32]) -> list[SignalRecord]:
    """A sample as the records it is sent in."""
    flat = values.ravel()
    return [
        SignalRecord(time_us, signal, flags, first, flat.size, flat[first : first + SIGNAL_VALUES])
        for first in range(0, flat.size, SIGNAL_VALUES)
    ]


def _encode_block(record: Block) -> bytes:
    if not 1 <= len(record.data) <= MAX_BLOCK:
        raise ValueError(f"a block of {len(record.data)} bytes")
    return _BLOCK.pack(record.sensor, record.constants, record.index) + record.data


def _decode_block(body: bytes, time_us: int) -> Block:
    sensor, constants, index = _BLOCK.unpack_from(body)
    data = body[_BLOCK.size :]
    if not 1 <= len(data) <= MAX_BLOCK:
        raise ValueError(f"{len(data)} bytes of data")
    return Block(time_us, sensor, constants, index, data)


def _encode_signal(record: SignalRecord) -> bytes:
    _check_part(record.first, len(record.values), record.elements)
    head = _SIGNAL.pack(record.signal, record.flags, record.elements, record.first)
    return head + record.values.astype("<f4").tobytes()


def _decode_signal(body: bytes, time_us: int) -> SignalRecord:
    signal, flags, elements, first = _SIGNAL.unpack_from(body)
    values = np.frombuffer(body, "<f4", offset=_SIGNAL.size).astype(np.float32)
    _check_part(first, len(values), elements)
    return SignalRecord(time_us, signal, flags, first, elements, values)


def _check_part(first: int, count: int, elements: int) -> None:
    if not 1 <= count <= SIGNAL_VALUES or first + count > elements:
        raise ValueError(f"numbers {first} to {first + count} of {elements}")


def _encode_finding(record: FindingRecord) -> bytes:
    if len(record.values) > LIMITS["outputs"].high or (record.kind is OutputKind.NONE) != (not record.values):
        raise ValueError(f"{len(record.values)} values")
    head = _FINDING.pack(record.model, record.flags, record.bundle, record.latency_us, record.inference_us)
    newest = b"".join(_NEWEST.pack(*one) for one in record.newest)
    if record.kind is OutputKind.SCORES:
        if not all(0 <= score <= 1 for score in record.values):
            raise ValueError("a score outside 0 to 1")
        values = struct.pack(f"<{len(record.values)}H", *(round(score * SCORE_STEPS) for score in record.values))
    else:
        values = struct.pack(f"<{len(record.values)}f", *record.values)
    return head + bytes((len(record.newest),)) + newest + bytes((record.kind, len(record.values))) + values


def _decode_finding(body: bytes, time_us: int) -> FindingRecord:
    model, flags, bundle, latency_us, inference_us = _FINDING.unpack_from(body)
    at = _FINDING.size + 1
    count = body[_FINDING.size] if len(body) > _FINDING.size else 0
    newest = tuple(_NEWEST.unpack_from(body, at + n * _NEWEST.size) for n in range(count))
    at += count * _NEWEST.size
    if len(body) < at + 2 or body[at] >= len(OutputKind):
        raise ValueError("no kind of values")
    kind, outputs = _OUTPUT_KINDS[body[at]], body[at + 1]
    form = _values(kind, outputs)
    if len(body) != at + 2 + form.size or (kind is OutputKind.NONE) != (outputs == 0):
        raise ValueError(f"{outputs} values of kind {kind}")
    values = form.unpack_from(body, at + 2)
    if outputs > LIMITS["outputs"].high:
        raise ValueError(f"{outputs} values")
    if kind is OutputKind.SCORES:
        values = tuple(score / SCORE_STEPS for score in values)
    return FindingRecord(time_us, model, flags, bundle, latency_us, inference_us, newest, kind, values)


@cache
def _values(kind: OutputKind, outputs: int) -> struct.Struct:
    return struct.Struct(f"<{outputs}{'H' if kind is OutputKind.SCORES else 'f'}")


def _encode_alert(record: AlertRecord) -> bytes:
    change = record.change
    return _ALERT.pack(change.alert, change.state, change.flags, change.time_us, change.value)


def _decode_alert(body: bytes, time_us: int) -> AlertRecord:
    alert, state, flags, since_us, value = _ALERT.unpack(body)
    return AlertRecord(time_us, AlertChange(alert, AlertState(state), since_us, value, flags))


def _encode_event(record: EventRecord) -> bytes:
    text = record.text.encode()[:MAX_EVENT_TEXT].decode(errors="ignore").encode()
    if record.sensor == NO_SENSOR:
        raise ValueError(f"a sensor of number {NO_SENSOR}, which says that it is about none")
    sensor = NO_SENSOR if record.sensor is None else record.sensor
    return _EVENT.pack(record.code, record.severity, sensor, record.count) + text


def _decode_event(body: bytes, time_us: int) -> EventRecord:
    code, severity, sensor, count = _EVENT.unpack_from(body)
    text = body[_EVENT.size :]
    if len(text) > MAX_EVENT_TEXT:
        raise ValueError(f"{len(text)} bytes of text")
    about = None if sensor == NO_SENSOR else sensor
    return EventRecord(time_us, code, Severity(severity), about, count, text.decode())


def _encode_clock(record: ClockRecord) -> bytes:
    return _CLOCK.pack(record.unix_us, record.lease_left_ms, record.dropped, record.captured, record.lost)


def _decode_clock(body: bytes, time_us: int) -> ClockRecord:
    return ClockRecord(time_us, *_CLOCK.unpack(body))


_ENCODERS: dict[type, tuple[RecordType, Callable[..., bytes]]] = {
    Block: (RecordType.BLOCK, _encode_block),
    SignalRecord: (RecordType.SIGNAL, _encode_signal),
    FindingRecord: (RecordType.FINDING, _encode_finding),
    AlertRecord: (RecordType.ALERT, _encode_alert),
    EventRecord: (RecordType.EVENT, _encode_event),
    ClockRecord: (RecordType.CLOCK, _encode_clock),
}
_DECODERS: dict[int, tuple[RecordType, Callable[[bytes, int], Record]]] = {
    RecordType.BLOCK: (RecordType.BLOCK, _decode_block),
    RecordType.SIGNAL: (RecordType.SIGNAL, _decode_signal),
    RecordType.FINDING: (RecordType.FINDING, _decode_finding),
    RecordType.ALERT: (RecordType.ALERT, _decode_alert),
    RecordType.EVENT: (RecordType.EVENT, _decode_event),
    RecordType.CLOCK: (RecordType.CLOCK, _decode_clock),
}
