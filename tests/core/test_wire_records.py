"""Telemetry records: every kind comes back as it was, and nothing else is taken for a record."""

import dataclasses
import math
import struct
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_bytes import PATH, described

from thermo_core import schema
from thermo_core.errors import ProtocolVersionError, RecordError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.person import FIELDS
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, TelemetryFrame, encode_frame
from thermo_core.wire.records import (
    MAX_BLOCK,
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    RecordHeader,
    SignalRecord,
    sequence_gap,
    signal_parts,
)
from thermo_core.wire.table import LIMITS, MAX_EVENT_TEXT, PROTOCOL, SIGNAL_VALUES, OutputKind, RecordType, Severity

U8, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
U64 = st.integers(0, 2**64 - 1)
OUTPUTS = int(LIMITS["outputs"].high)
FLOAT = st.floats(width=32, allow_nan=False)


@st.composite
def signals(draw: st.DrawFn) -> SignalRecord:
    count, first = draw(st.integers(1, SIGNAL_VALUES)), draw(st.integers(0, 60_000))
    values = np.random.default_rng(draw(U32)).normal(0, 1e3, count).astype(np.float32)
    return SignalRecord(draw(U64), draw(U8), draw(U16), first, draw(st.integers(first + count, 65_535)), values)


@st.composite
def findings(draw: st.DrawFn) -> FindingRecord:
    kind = draw(st.sampled_from(OutputKind))
    value = U16.map(lambda score: score / 65_535) if kind is OutputKind.SCORES else FLOAT
    values = () if kind is OutputKind.NONE else tuple(draw(st.lists(value, min_size=1, max_size=OUTPUTS)))
    newest = tuple(draw(st.lists(st.tuples(U8, U32), max_size=32)))
    return FindingRecord(draw(U64), draw(U8), draw(U16), draw(U32), draw(U32), draw(U32), newest, kind, values)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=128)
CHANGES = st.builds(AlertChange, U8, st.sampled_from(AlertState), U64, FLOAT, U16)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Block, U64, U8, U16, U32, st.binary(min_size=1, max_size=MAX_BLOCK)),
    signals(),
    findings(),
    st.builds(AlertRecord, U64, CHANGES),
    st.builds(EventRecord, U64, U16, st.sampled_from(Severity), st.none() | st.integers(0, 254), U32, TEXTS),
    st.builds(ClockRecord, U64, U64, U32, U32, U32, U32),
)


def fields(record: Record) -> Any:
    """What can be compared."""
    return type(record), [
        value.tobytes() if isinstance(value := getattr(record, field.name), np.ndarray) else value
        for field in dataclasses.fields(record)
    ]


@few(150, of=500)
@given(RECORDS, st.integers(0, 2**40))
def test_records_come_back_through_frames(record: Record, sequence: int) -> None:
    data = records.encode(record, sequence)
    [frame] = Demultiplexer().feed(encode_frame(data))
    assert isinstance(frame, TelemetryFrame)
    header, decoded = records.decode(frame.record)
    assert fields(decoded) == fields(record)
    assert (header.sequence, header.time_us) == (sequence % 65536, record.time_us)
    assert data[:2] == bytes((PROTOCOL, header.type))


@few(150, of=500)
@given(RECORDS, st.data())
def test_a_record_cut_short_or_prolonged_is_refused_unless_its_end_may_be_anywhere(
    record: Record, data: st.DataObject
) -> None:
    encoded = records.encode(record, 0)
    for other in (encoded[: data.draw(st.integers(0, len(encoded) - 1))], encoded + b"\x00"):
        try:
            _, decoded = records.decode(other)
        except RecordError:
            continue
        # Only kinds that end in bytes of any length can be read still; the CRC of the frame guards these.
        assert isinstance(decoded, Block | EventRecord | SignalRecord)
        assert fields(decoded) != fields(record)


@few(1500, of=10_000)
@given(st.binary(max_size=120), st.sampled_from([None, *range(1, 8)]))
def test_random_bytes_give_a_record_or_a_typed_error(data: bytes, kind: int | None) -> None:
    """Random bytes, and random bytes that begin like a record, on the reader and on the line."""
    if kind is not None:
        data = bytes((PROTOCOL, kind)) + data
    try:
        header, record = records.decode(data)
    except (RecordError, ProtocolVersionError):
        pass
    else:
        again = records.encode(record, header.sequence)
        # A number that is none has many bit patterns, and says the same in each.
        assert again == data or b"\xc0\x7f" in again or b"\xc0\xff" in again
    demultiplexer = Demultiplexer()
    assert demultiplexer.feed(data) == []
    assert demultiplexer.counters.discarded + demultiplexer.pending == len(data) - data.count(0)


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (0, "version 0 .* update the device"),
        (1, "version 1 .* never released; install this version of thermo-edge"),
        (3, "version 3 .* update the host"),
        (255, "version 255 .* update the host"),
    ],
)
def test_another_version_says_what_to_do(version: int, says: str) -> None:
    data = records.encode(ClockRecord(1, 2, 3, 4, 5, 6), 7)
    with pytest.raises(ProtocolVersionError, match=says):
        records.decode(bytes([version]) + data[1:])


def head(kind: int) -> bytes:
    return bytes((PROTOCOL, kind)) + bytes(10)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (head(6)[:2], "shorter than its 12-byte header"),
        (head(0), "unknown type 0"),
        (head(7), "unknown type 7"),
        (head(6) + bytes(23), "clock record of 35 bytes"),
        (head(1) + struct.pack("<BHI", 0, 0, 5), "block record .*0 bytes of data"),
        (head(1) + struct.pack("<BHI", 0, 0, 5) + bytes(MAX_BLOCK + 1), "1201 bytes of data"),
        (head(2) + struct.pack("<BHHH", 0, 0, 5, 0) + bytes(5), "signal record"),
        (head(2) + struct.pack("<BHHH", 0, 0, 5, 5) + bytes(4), "numbers 5 to 6 of 5"),
        (head(2) + struct.pack("<BHHH", 0, 0, 5, 0), "numbers 0 to 0 of 5"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0), "no kind of values"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0) + b"\x00\x03\x01" + bytes(4), "no kind of values"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0) + b"\x00\x01\x02" + bytes(2), "2 values of kind 1"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0) + b"\x00\x01\x00", "0 values of kind 1"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0) + b"\x02\x00\x00\x00\x00\x00", "finding record"),
        (head(3) + struct.pack("<BHIII", 0, 0, 0, 0, 0) + b"\x00\x01\x41" + bytes(2 * 65), "65 values"),
        (head(4) + struct.pack("<BBHQf", 0, 9, 0, 0, 1.0), "9 is not a valid AlertState"),
        (head(5) + struct.pack("<HBBI", 1, 3, 0, 1), "3 is not a valid Severity"),
        (head(5) + struct.pack("<HBBI", 1, 1, 0, 1) + b"\xff", "does not parse"),
        (head(5) + struct.pack("<HBBI", 1, 1, 0, 1) + b"x" * (MAX_EVENT_TEXT + 1), "513 bytes of text"),
    ],
)
def test_an_impossible_record_is_refused_with_the_reason(data: bytes, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        records.decode(data)


FINDING = FindingRecord(1, 2, 3, 4, 5, 6, ((0, 9),), OutputKind.SCORES, (0.25, 0.75))


def finding(**changes: object) -> FindingRecord:
    return dataclasses.replace(FINDING, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (ClockRecord(-1, 0, 0, 0, 0, 0), "ClockRecord"),
        (ClockRecord(0, 0, 1 << 32, 0, 0, 0), "ClockRecord"),
        (Block(0, 256, 0, 0, b"x"), "Block"),
        (Block(0, 0, 65_536, 0, b"x"), "Block"),
        (Block(0, 0, 0, 0, b""), "a block of 0 bytes"),
        (Block(0, 0, 0, 0, bytes(MAX_BLOCK + 1)), "a block of 1201 bytes"),
        (SignalRecord(0, 0, 0, 1, 1, np.zeros(1, np.float32)), "numbers 1 to 2 of 1"),
        (SignalRecord(0, 0, 0, 0, 481, np.zeros(481, np.float32)), "numbers 0 to 481"),
        (SignalRecord(0, 1 << 16, 0, 0, 1, np.zeros(1, np.float32)), "SignalRecord"),
        (finding(model=256), "FindingRecord"),
        (finding(flags=1 << 16), "FindingRecord"),
        (finding(values=(math.nan, 0.5)), "score"),
        (finding(values=(1.5, 0.5)), "score"),
        (finding(values=(0.0,) * 65), "65 values"),
        (finding(values=()), "0 values"),
        (finding(kind=OutputKind.NONE), "2 values"),
        (finding(newest=((0, 1),) * 256), "FindingRecord"),
        (finding(kind=OutputKind.QUANTITIES, values=(1e39,)), "FindingRecord"),
        (AlertRecord(0, AlertChange(256, AlertState.RAISED, 0, 0.0, 0)), "AlertRecord"),
        (EventRecord(0, 1 << 16, Severity.INFO, None, 0, ""), "EventRecord"),
        (EventRecord(0, 1, Severity.INFO, 255, 0, ""), "EventRecord"),
        (EventRecord(0, 1, Severity.INFO, 256, 0, ""), "EventRecord"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record: Record, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        records.encode(record, 0)


def test_long_text_is_cut_between_characters() -> None:
    data = records.encode(EventRecord(0, 1, Severity.ERROR, None, 1, "a" + "é" * 400), 0)
    decoded = records.decode(data)[1]
    assert isinstance(decoded, EventRecord)
    assert decoded.text == "a" + "é" * 255


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(RecordError, match="EventRecord"):
        records.encode(EventRecord(0, 1, Severity.ERROR, None, 1, "\ud800"), 0)


def test_scores_keep_sixteen_bits() -> None:
    decoded = records.decode(records.encode(FINDING, 0))[1]
    assert isinstance(decoded, FindingRecord)
    assert decoded.values == pytest.approx(FINDING.values, abs=0.5 / 65535)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3_000), U16)
def test_a_long_sample_comes_back_from_its_parts(elements: int, flags: int) -> None:
    values = np.arange(elements, dtype=np.float32).reshape(1, -1)
    parts = signal_parts(7, 3, flags, values)
    assert len(parts) == -(-elements // SIGNAL_VALUES)
    whole = np.full(elements, np.nan, np.float32)
    for part in parts:
        decoded = records.decode(records.encode(part, 0))[1]
        assert isinstance(decoded, SignalRecord)
        assert (decoded.time_us, decoded.signal, decoded.flags, decoded.elements) == (7, 3, flags, elements)
        whole[decoded.first : decoded.first + len(decoded.values)] = decoded.values
    assert np.array_equal(whole, values[0])


def test_numbers_of_signals_fit_their_field() -> None:
    """The most signals that any wearable can have: all sensors of the kind that says most, and all stages and models."""
    more = {"mlx90614": {"zones": 2}}
    made = (
        schema.from_plain(described(kind, **more.get(kind, {})), KINDS[kind].settings, "sensor")
        for kind in sorted(PATH)
    )
    most = max(len(sensor.signals) for sensor in made)
    assert sorted(PATH) == sorted(set(KINDS) - {"external"})
    nodes = LIMITS["stages"].high + LIMITS["models"].high
    assert most * LIMITS["sensors"].high + len(FIELDS) + nodes <= 256


def test_gaps_of_the_sequence_wrap() -> None:
    assert [sequence_gap(last, now) for last, now in ((4, 5), (4, 7), (65535, 0), (65534, 1))] == [0, 2, 0, 2]
    assert records.decode(records.encode(FINDING, 65536 + 3))[0] == RecordHeader(RecordType.FINDING, 3, 1)
