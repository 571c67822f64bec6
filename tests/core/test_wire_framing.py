"""Framing against cobs, zlib and smp.packet, and the demultiplexer against everything a line may hold."""

import binascii
import random
import zlib

import pytest
from cobs import cobs
from examples import few
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from smp import packet

from thermo_core.errors import FramingError, ManagementError
from thermo_core.wire.framing import (
    MAX_RECORD,
    Demultiplexer,
    ManagementFrame,
    TelemetryFrame,
    decode_frame,
    encode_frame,
    encode_packet,
)

RECORDS = st.binary(max_size=200).map(lambda body: b"\x01" + body)
MESSAGES = st.binary(min_size=1, max_size=400)
LINE_LENGTHS = st.integers(8, 300)


def smp_decode(lines: bytes) -> bytes:
    """What the smp package makes of a packet."""
    decoder = packet.decode()
    next(decoder)
    for line in lines.splitlines(keepends=True):
        try:
            decoder.send(line)
        except StopIteration as done:
            return bytes(done.value)
    raise AssertionError("the packet is incomplete")


@given(RECORDS)
def test_a_frame_is_cobs_of_record_and_crc(record: bytes) -> None:
    frame = encode_frame(record)
    assert frame[0] == frame[-1] == 0
    assert 0 not in frame[1:-1]
    plain = cobs.decode(frame[1:-1])
    assert plain == record + zlib.crc32(record).to_bytes(4, "little")
    assert decode_frame(frame[1:-1]) == record


def test_a_frame_never_starts_like_a_line() -> None:
    starts = {encode_frame(bytes([1]) + bytes([7]) * size)[1:3] for size in range(1200)}
    assert not starts & {b"\x06\x09", b"\x04\x14"}
    assert all(start[1] == 1 for start in starts)


@pytest.mark.parametrize("size", [0, MAX_RECORD + 1])
def test_a_record_that_cannot_be_framed_is_refused(size: int) -> None:
    with pytest.raises(FramingError, match=str(size)):
        encode_frame(bytes(size))


@given(MESSAGES, LINE_LENGTHS)
def test_packets_equal_those_of_the_smp_package(message: bytes, line_length: int) -> None:
    ours = encode_packet(message, line_length)
    assert ours == b"".join(packet.encode(message, line_length))
    assert smp_decode(ours) == message


def test_no_line_is_longer_than_asked() -> None:
    for line_length in range(8, 140):
        lines = encode_packet(bytes(500), line_length).splitlines(keepends=True)
        assert max(map(len, lines)) <= line_length


def test_a_message_beyond_the_length_field_is_refused() -> None:
    with pytest.raises(ManagementError, match="65534"):
        encode_packet(bytes(65534))
    with pytest.raises(ManagementError, match="line length"):
        encode_packet(b"x", 7)


@given(
    st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=120)), max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_both_kinds_come_through_in_order_however_the_line_is_cut(
    items: list[tuple[bool, bytes]], cuts: list[int]
) -> None:
    line = b""
    sent: list[TelemetryFrame | ManagementFrame] = []
    for telemetry, data in items:
        if telemetry:
            sent.append(TelemetryFrame(b"\x01" + data))
            line += encode_frame(b"\x01" + data)
        else:
            sent.append(ManagementFrame(data))
            line += encode_packet(data)
    demultiplexer, found, at = Demultiplexer(), [], 0
    while at < len(line):
        cut = cuts[at % len(cuts)]
        found += demultiplexer.feed(line[at : at + cut])
        at += cut
    assert found == sent
    counters = demultiplexer.counters
    assert (counters.bad_frames, counters.bad_packets, counters.discarded, demultiplexer.pending) == (0, 0, 0, 0)


NOISE = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=40).map(lambda data: b"\x06\x09" + binascii.b2a_base64(data)),
    st.binary(max_size=40).map(lambda data: b"\x04\x14" + binascii.b2a_base64(data)),
    MESSAGES.map(encode_packet),
    RECORDS.map(encode_frame),
    st.tuples(RECORDS.map(encode_frame), st.integers(0, 30)).map(lambda pair: pair[0][: -pair[1] or None]),
    st.tuples(MESSAGES.map(encode_packet), st.integers(0, 30)).map(lambda pair: pair[0][pair[1] :]),
    st.sampled_from([b"\x00", b"\x06", b"\x04", b"\x06\x09", b"\x04\x14", b"\n", b"\r\n", b"\x06\x09AAAA"]),
)


def taken_by(frame: TelemetryFrame | ManagementFrame) -> int:
    """Bytes other than zero that an accepted frame took on the line; exact for encoders that use the longest lines."""
    if isinstance(frame, TelemetryFrame):
        return len(encode_frame(frame.record)) - 2
    return len(encode_packet(frame.message))


@few(300, of=1_500, suppress_health_check=list(HealthCheck))
@given(st.lists(NOISE, max_size=8).map(b"".join), st.integers(1, 50))
def test_every_byte_of_any_line_is_accepted_discarded_or_pending(line: bytes, cut: int) -> None:
    whole, pieces = Demultiplexer(), Demultiplexer()
    found = whole.feed(line)
    assert [f for at in range(0, len(line), cut) for f in pieces.feed(line[at : at + cut])] == found
    assert pieces.counters == whole.counters
    counters = whole.counters
    assert (counters.frames, counters.packets) == (
        sum(isinstance(frame, TelemetryFrame) for frame in found),
        sum(isinstance(frame, ManagementFrame) for frame in found),
    )
    assert counters.discarded + whole.pending + sum(map(taken_by, found)) == len(line) - line.count(0)


def test_a_damaged_frame_costs_itself_alone() -> None:
    demultiplexer = Demultiplexer()
    frames = [encode_frame(bytes([1, n]) * 20) for n in range(1, 6)]
    frames[2] = frames[2][:9] + bytes([frames[2][9] ^ 0x10]) + frames[2][10:]
    found = demultiplexer.feed(b"".join(frames))
    assert [frame.record[1] for frame in found if isinstance(frame, TelemetryFrame)] == [1, 2, 4, 5]
    assert demultiplexer.counters.bad_frames == 1
    assert demultiplexer.counters.discarded == len(frames[2]) - 2


def test_a_lost_zero_between_two_frames_costs_neither() -> None:
    first, second = encode_frame(b"\x01first"), encode_frame(b"\x01second")
    assert len(Demultiplexer().feed(first[:-1] + second)) == 2
    assert len(Demultiplexer().feed(first + second[1:])) == 2


def test_an_answer_gets_through_when_the_frame_before_it_lost_its_end() -> None:
    demultiplexer = Demultiplexer()
    found = demultiplexer.feed(encode_frame(b"\x01cut")[:-1] + encode_packet(b"answer"))
    assert found == [ManagementFrame(b"answer")]
    assert demultiplexer.feed(encode_frame(b"\x01next")) == [TelemetryFrame(b"\x01cut"), TelemetryFrame(b"\x01next")]
    assert demultiplexer.counters.bad_frames == 0


def test_something_like_a_line_within_a_frame_harms_nothing() -> None:
    record = b"\x01" + bytes(range(5, 60)) + b"\x06\x09QUJD\n" + b"tail" * 3
    demultiplexer = Demultiplexer()
    assert demultiplexer.feed(encode_frame(record)) == [TelemetryFrame(record)]


def test_a_request_gets_through_after_garbage_without_zero_bytes() -> None:
    demultiplexer = Demultiplexer()
    garbage = random.Random(1).randbytes(500).replace(b"\x00", b"x")
    assert demultiplexer.feed(garbage + encode_packet(b"hello")) == [ManagementFrame(b"hello")]
    assert demultiplexer.feed(b"\x00" + encode_packet(b"again")) == [ManagementFrame(b"again")]
    assert demultiplexer.counters.discarded == len(garbage)


def test_a_new_packet_replaces_one_that_never_ended() -> None:
    demultiplexer = Demultiplexer()
    begun = encode_packet(bytes(300)).splitlines(keepends=True)[0]
    assert demultiplexer.feed(begun + encode_packet(b"second")) == [ManagementFrame(b"second")]
    assert demultiplexer.counters.bad_packets == 1
    assert demultiplexer.counters.discarded == len(begun)


def test_a_line_may_end_with_carriage_return_too() -> None:
    lines = encode_packet(bytes(300)).replace(b"\n", b"\r\n")
    demultiplexer = Demultiplexer()
    assert [frame for byte in lines for frame in demultiplexer.feed(bytes([byte]))] == [ManagementFrame(bytes(300))]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\x04\x14QUJD\n", id="continued without a beginning"),
        pytest.param(b"\x06\x09\n", id="empty"),
        pytest.param(b"\x06\x09QUJ\n", id="base64 cut short"),
        pytest.param(b"\x06\x09AAA=\n", id="length without data"),
        pytest.param(b"\x06\x09AAIAAA==\n", id="CRC of no message"),
        pytest.param(b"\x06\x09" + binascii.b2a_base64(b"\x00\x05abcde"), id="CRC wrong"),
        pytest.param(b"\x06\x09" + binascii.b2a_base64(b"\x00\x03abcdefgh"), id="longer than announced"),
    ],
)
def test_a_bad_packet_is_counted(line: bytes) -> None:
    demultiplexer = Demultiplexer()
    assert demultiplexer.feed(line) == []
    assert demultiplexer.counters.bad_packets == 1
    assert demultiplexer.counters.discarded == len(line)


def test_a_message_longer_than_the_buffer_is_refused_and_the_next_one_heard() -> None:
    demultiplexer = Demultiplexer(max_message=100)
    assert demultiplexer.feed(encode_packet(bytes(101))) == []
    assert demultiplexer.counters.bad_packets >= 1
    assert demultiplexer.feed(encode_packet(bytes(100))) == [ManagementFrame(bytes(100))]


@pytest.mark.parametrize("pattern", [b"\xff", b"A", b"\x06\x09", b"\x06\x09A", b"\x04\x14QUJD\n", b"x\x06\x09QUJD\n"])
def test_memory_stays_bounded_on_a_line_without_zero_bytes(pattern: bytes) -> None:
    demultiplexer = Demultiplexer(max_message=1000)
    fed = 0
    for _ in range(300):
        demultiplexer.feed(pattern * 500)
        fed += len(pattern) * 500
        assert demultiplexer.pending <= 8 * MAX_RECORD
        assert demultiplexer.counters.discarded + demultiplexer.pending == fed
    demultiplexer.feed(b"\x00")
    assert demultiplexer.feed(encode_frame(b"\x01works") + encode_packet(b"too")) == [
        TelemetryFrame(b"\x01works"),
        ManagementFrame(b"too"),
    ]
