"""Telemetry records: every kind comes back as it was, and nothing else is taken for a record."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import ProtocolVersionError, RecordError
from thermo_core.sensors.mlx90640.counts import MAX_BYTES, PackedSubpage
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, TelemetryFrame, encode_frame
from thermo_core.wire.records import (
    ChannelReading,
    ClockRecord,
    EventRecord,
    Record,
    RecordHeader,
    RecordType,
    Severity,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
    sequence_gap,
)

U8, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
U64 = st.integers(0, 2**64 - 1)
COUNTS = st.binary(min_size=2, max_size=MAX_BYTES)
CELSIUS = st.none() | st.integers(-32767, 32767).map(lambda centi: centi / 100)
CHANNELS = st.builds(ChannelReading, st.integers(-32768, 32767), st.integers(0, 3), CELSIUS)


@st.composite
def subpages(draw: st.DrawFn) -> SubpageRecord:
    index, key = draw(U32), draw(st.booleans())
    packed = PackedSubpage(draw(st.integers(0, 1)), draw(U16), key, index if key else draw(U32), draw(COUNTS))
    return SubpageRecord(draw(U64), draw(U8), index, packed, draw(U32))


@st.composite
def verdicts(draw: st.DrawFn) -> VerdictRecord:
    scores = draw(st.lists(U16.map(lambda score: score / 65535), max_size=64))
    flags = [draw(st.booleans()) for _ in range(4)]
    label = draw(st.integers(0, max(0, len(scores) - 1)))
    version = (draw(U8), draw(U8), draw(U16), draw(U32))
    head, tail = (draw(U64), draw(U32), draw(U8)), (draw(U32), draw(U32), version, draw(st.booleans()))
    return VerdictRecord(*head, *flags, label, tuple(scores), *tail)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=128)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    subpages(),
    st.builds(ThermistorRecord, U64, U8, st.lists(CHANNELS, max_size=8).map(tuple)),
    verdicts(),
    st.builds(EventRecord, U64, U16, st.sampled_from(Severity), U32, TEXTS),
    st.builds(ClockRecord, U64, U64, U32, U32, U32, U32),
)


@settings(max_examples=500, deadline=None)
@given(RECORDS, st.integers(0, 2**40))
def test_records_come_back_through_frames(record: Record, sequence: int) -> None:
    data = records.encode(record, sequence)
    [frame] = Demultiplexer().feed(encode_frame(data))
    assert isinstance(frame, TelemetryFrame)
    header, decoded = records.decode(frame.record)
    assert decoded == record
    assert (header.sequence, header.time_us) == (sequence % 65536, record.time_us)
    assert data[:2] == bytes((1, header.type))


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.data())
def test_a_record_cut_short_or_prolonged_is_refused_unless_its_text_or_counts_are(
    record: Record, data: st.DataObject
) -> None:
    encoded = records.encode(record, 0)
    for other in (encoded[: data.draw(st.integers(0, len(encoded) - 1))], encoded + b"\x00"):
        try:
            _, decoded = records.decode(other)
        except RecordError:
            continue
        # Only kinds that end in bytes of any length can be read still; the CRC of the frame guards these.
        assert isinstance(decoded, SubpageRecord | EventRecord)
        assert decoded != record


@settings(max_examples=10_000, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([None, *range(1, 7)]))
def test_random_bytes_give_a_record_or_a_typed_error(data: bytes, kind: int | None) -> None:
    """Random bytes, and random bytes that begin like a record, on the reader and on the line."""
    if kind is not None:
        data = bytes((1, kind)) + data
    try:
        header, record = records.decode(data)
    except (RecordError, ProtocolVersionError):
        pass
    else:
        assert records.encode(record, header.sequence) == data
    demultiplexer = Demultiplexer()
    assert demultiplexer.feed(data) == []
    assert demultiplexer.counters.discarded + demultiplexer.pending == len(data) - data.count(0)


@pytest.mark.parametrize(("version", "side"), [(0, "device"), (2, "host"), (255, "host")])
def test_another_version_says_which_side_to_update(version: int, side: str) -> None:
    data = records.encode(ClockRecord(1, 2, 3, 4, 5, 6), 7)
    with pytest.raises(ProtocolVersionError, match=f"version {version} .* update the {side}"):
        records.decode(bytes([version]) + data[1:])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\x01\x05", "shorter than its 12-byte header"),
        (b"\x01\x06" + bytes(10), "unknown type 6"),
        (b"\x01\x05" + bytes(10) + bytes(23), "clock record of 35 bytes"),
        (b"\x01\x01" + bytes(10) + struct.pack("<BBHIII", 0, 2, 0x1901, 5, 4, 1) + bytes(9), "subpage 5 contradicts"),
        (b"\x01\x01" + bytes(10) + struct.pack("<BBHIII", 0, 4, 0x1901, 5, 5, 1) + bytes(9), "subpage 5 contradicts"),
        (b"\x01\x01" + bytes(10) + struct.pack("<BBHIII", 0, 0, 0x1901, 5, 5, 1) + bytes(1), "subpage 5 contradicts"),
        (b"\x01\x02" + bytes(10) + b"\x00\x02" + bytes(5), "number of channels"),
        (b"\x01\x02" + bytes(10) + b"\x00\x01\x00\x00\x04\x00\x00", "channel state 4"),
        (b"\x01\x03" + bytes(10) + struct.pack("<IBBBB", 9, 1, 32, 0, 0) + bytes(16), "subpage 9 contradicts"),
        (b"\x01\x03" + bytes(10) + struct.pack("<IBBBB", 9, 1, 0, 2, 2) + bytes(20), "subpage 9 contradicts"),
        (b"\x01\x04" + bytes(10) + struct.pack("<HBI", 1, 3, 1), "severity 3"),
        (b"\x01\x04" + bytes(10) + struct.pack("<HBI", 1, 1, 1) + b"\xff", "does not parse"),
    ],
)
def test_an_impossible_record_is_refused_with_the_reason(data: bytes, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        records.decode(data)


VERDICT = VerdictRecord(1, 2, 3, False, False, False, True, 1, (0.25, 0.75), 4, 5, (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (ClockRecord(-1, 0, 0, 0, 0, 0), "ClockRecord"),
        (ClockRecord(0, 0, 1 << 32, 0, 0, 0), "ClockRecord"),
        (SubpageRecord(0, 0, 5, PackedSubpage(0, 0x1901, True, 4, b"\x00\x00")), "contradicts"),
        (SubpageRecord(0, 0, 5, PackedSubpage(0, 0x1901, True, 5, b"\x00\x00"), 1 << 32), "SubpageRecord"),
        (SubpageRecord(0, 256, 5, PackedSubpage(0, 0x1901, True, 5, b"\x00\x00")), "SubpageRecord"),
        (ThermistorRecord(0, 256, ()), "ThermistorRecord"),
        (ThermistorRecord(0, 0, (ChannelReading(40_000, 0, 1.0),)), "ThermistorRecord"),
        (VerdictRecord(1, 2, 3, False, False, False, True, 2, (0.25, 0.75), 4, 5, (1, 2, 3, 4)), "label 2"),
        (VerdictRecord(1, 2, 3, False, False, False, True, 0, (float("nan"),), 4, 5, (1, 2, 3, 4)), "score"),
        (VerdictRecord(1, 2, 3, False, False, False, True, 0, (1.5,), 4, 5, (1, 2, 3, 4)), "score"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record: Record, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        records.encode(record, 0)


@pytest.mark.parametrize("celsius", [None, float("nan"), float("inf"), 400.0, -327.68])
def test_a_temperature_the_wire_cannot_carry_is_none_rather_than_wrong(celsius: float | None) -> None:
    data = records.encode(ThermistorRecord(0, 1, (ChannelReading(-5, 1, celsius),)), 0)
    assert records.decode(data)[1] == ThermistorRecord(0, 1, (ChannelReading(-5, 1, None),))


def test_long_text_is_cut_between_characters() -> None:
    data = records.encode(EventRecord(0, 1, Severity.ERROR, 1, "a" + "é" * 400), 0)
    decoded = records.decode(data)[1]
    assert isinstance(decoded, EventRecord)
    assert decoded.text == "a" + "é" * 255


def test_scores_keep_sixteen_bits() -> None:
    decoded = records.decode(records.encode(VERDICT, 0))[1]
    assert isinstance(decoded, VerdictRecord)
    assert decoded.scores == pytest.approx(VERDICT.scores, abs=0.5 / 65535)


def test_gaps_of_the_sequence_wrap() -> None:
    assert [sequence_gap(last, now) for last, now in ((4, 5), (4, 7), (65535, 0), (65534, 1))] == [0, 2, 0, 2]
    assert records.decode(records.encode(VERDICT, 65536 + 3))[0] == RecordHeader(RecordType.VERDICT, 3, 1)
