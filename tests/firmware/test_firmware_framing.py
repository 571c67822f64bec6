"""Frames and packets of the firmware, over lines that are full, damaged or strange: as thermo_core and smp have them."""

import ctypes
import itertools
from typing import Any

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from smp import packet as smp_packet

from thermo_core.wire.framing import MAX_RECORD, Demultiplexer, ManagementFrame, encode_frame, encode_packet

MAX_MESSAGE = 2048 + 64
Sink = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)


def firmware_frame(wire: Any, record: bytes, capacity: int = 4096) -> bytes:
    """A telemetry frame; b"" where it does not fit."""
    out = (ctypes.c_uint8 * 4096)()
    return bytes(out[: wire.framing_encode_frame(record, len(record), out, capacity)])


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=MAX_RECORD) | st.lists(st.integers(250, 258), max_size=6).map(
    lambda runs: b"".join(b"\7" * run + b"\0" for run in runs) + b"\1"
))  # fmt: skip
def test_frames_are_those_of_core(wire: Any, record: bytes) -> None:
    frame = firmware_frame(wire, record)
    assert frame == encode_frame(record)
    assert cobs.decode(frame[1:-1])[:-4] == record
    most = len(record) + 4 + (len(record) + 4) // 254 + 3
    assert len(frame) <= most and firmware_frame(wire, record, most) == frame
    assert firmware_frame(wire, record, most - 1) == b""


class Packet(ctypes.Structure):
    """struct framing_packet."""

    _fields_ = [
        ("message", ctypes.c_char_p),
        ("size", ctypes.c_size_t),
        ("sent", ctypes.c_size_t),
        ("crc", ctypes.c_uint16),
    ]


def firmware_packet(wire: Any, message: bytes, full: set[int]) -> bytes:
    """The lines of a message; the line is full whenever asked for one of the times in `full`."""
    calls, lines = itertools.count(), []

    def take(context: object, data: Any, size: int) -> bool:
        if next(calls) in full:
            return False
        lines.append(bytes(data[:size]))
        return True

    packet, sink = Packet(), Sink(take)
    wire.framing_begin_packet(ctypes.byref(packet), message, len(message))
    while not wire.framing_send_packet(ctypes.byref(packet), sink, None):
        pass
    assert all(line.endswith(b"\n") and len(line) <= 127 for line in lines)
    return b"".join(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.sets(st.integers(0, 20)))
def test_packets_are_those_of_core_over_a_line_that_is_full_at_times(wire: Any, message: bytes, full: set[int]) -> None:
    packet = firmware_packet(wire, message, full)
    assert packet == encode_packet(message)
    assert wire.framing_packet_bytes(len(message)) == len(packet)


class Receiver:
    """The firmware's end of the line."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        wire.wire_restart_receiver()

    def feed(self, data: bytes) -> list[bytes]:
        """Messages completed by `data`."""
        messages: list[bytes] = []
        message, size = ctypes.create_string_buffer(MAX_MESSAGE), ctypes.c_size_t()
        while data:
            data = data[self._wire.wire_receive(data, len(data), message, ctypes.byref(size)) :]
            if size.value:
                messages.append(message.raw[: size.value])
        return messages

    @property
    def counters(self) -> tuple[int, int, int]:
        """Packets, bad packets, bytes discarded."""
        found = (ctypes.c_uint32 * 3)()
        self._wire.wire_receiver_counters(found)
        return (found[0], found[1], found[2])


def core_messages(line: bytes) -> tuple[list[bytes], Demultiplexer]:
    """What core hears, with the zero byte that makes it count what waits."""
    demultiplexer = Demultiplexer(MAX_MESSAGE)
    frames = demultiplexer.feed(line + b"\0")
    return [frame.message for frame in frames if isinstance(frame, ManagementFrame)], demultiplexer


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=1000), st.sampled_from([127, 200, 1024]))
def test_the_smp_package_understands_the_firmware_and_is_understood(wire: Any, message: bytes, length: int) -> None:
    assert Receiver(wire).feed(b"".join(smp_packet.encode(message, length))) == [message]
    decoder = smp_packet.decode()
    next(decoder)
    with pytest.raises(StopIteration) as done:
        for line in firmware_packet(wire, message, set()).splitlines(keepends=True):
            decoder.send(line)
    assert done.value.value == message


def test_packets_on_the_page_are_heard(wire: Any, vectors: dict[str, bytes]) -> None:
    line = vectors["packet-hello-request"] + vectors["frame-clock"] + vectors["packet-two-lines"]
    receiver = Receiver(wire)
    assert receiver.feed(line) == [vectors["smp-hello-request"], bytes(range(60))]
    assert receiver.counters == (2, 0, len(vectors["frame-clock"]) - 2)


MESSAGES = st.binary(min_size=1, max_size=300)
JUNK = st.binary(max_size=20) | st.sampled_from(
    [b"\x06", b"\x06\x09", b"\x04\x14", b"\0", b"\n", b"\x06\x06", b"\x06\x09AAAA\n", b"\x04\x14AA==\n", b"\x06\x09A\n"]
)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(st.tuples(JUNK, MESSAGES, st.integers(8, 200), st.booleans()), max_size=5),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_whole_packets_get_through_any_junk(
    wire: Any, pieces: list[tuple[bytes, bytes, int, bool]], cuts: list[int]
) -> None:
    """In any pieces, in lines of any length, with either line end; a line end before each packet ends the junk."""
    line, sent = b"", []
    for junk, message, length, returns in pieces:
        packet = encode_packet(message, length)
        line += junk + b"\n" + (packet.replace(b"\n", b"\r\n") if returns else packet)
        sent.append(message)
    receiver = Receiver(wire)
    at, heard = 0, []
    for cut in [*sorted(cuts), len(line)]:
        heard += receiver.feed(line[at:cut])
        at = max(at, cut)
    assert heard == sent == core_messages(line)[0]
    assert receiver.counters[0] == len(sent)


@settings(max_examples=500, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=4), st.data())
def test_a_damaged_line_is_heard_as_core_hears_it(wire: Any, messages: list[bytes], data: st.DataObject) -> None:
    line = bytearray(b"".join(encode_packet(message) for message in messages))
    inserted = False
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(line)))
        match data.draw(st.sampled_from(["change", "lose", "insert"])):
            case "change":
                line[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "lose":
                del line[at : at + data.draw(st.integers(1, 200))]
            case "insert":
                line[at:at] = data.draw(JUNK)
                inserted = True
    heard, demultiplexer = core_messages(bytes(line))
    receiver = Receiver(wire)
    mine = receiver.feed(bytes(line))
    # The start of a packet that breaks off ends the one before it here; core may still go on with that.
    assert set(mine) <= set(heard) if inserted else mine == heard
    packets, bad_packets, discarded = receiver.counters
    assert packets == len(mine)
    assert discarded <= len(line)
    assert bad_packets or discarded or not demultiplexer.counters.bad_packets


def test_a_new_packet_ends_the_one_before_it(wire: Any) -> None:
    first, second = encode_packet(bytes(200)), encode_packet(b"second")
    cut = first.index(b"\n") + 1
    receiver = Receiver(wire)
    assert receiver.feed(first[:cut] + second + first[cut:]) == [b"second"]
    assert receiver.counters[1] == 1 + first[cut:].count(b"\n")
    assert receiver.counters[2] == len(first)


@pytest.mark.parametrize("size", [1, MAX_MESSAGE - 1, MAX_MESSAGE])
@pytest.mark.parametrize("length", [8, 127, 4000])
def test_messages_up_to_the_announced_size_are_taken(wire: Any, size: int, length: int) -> None:
    message = bytes(i % 251 for i in range(size))
    assert Receiver(wire).feed(encode_packet(message, length)) == [message]


@pytest.mark.parametrize("length", [127, 4000, 8000])
def test_larger_messages_are_refused_and_the_next_one_is_taken(wire: Any, length: int) -> None:
    receiver = Receiver(wire)
    assert receiver.feed(encode_packet(bytes(MAX_MESSAGE + 1), length)) == []
    assert receiver.feed(encode_packet(bytes(5000), length)) == []
    assert receiver.counters[1] >= 2
    assert receiver.feed(b"\x06\x09" + b"A" * 100000) == []
    assert receiver.feed(encode_packet(b"next")) == [b"next"]
