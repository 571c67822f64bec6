"""The firmware's side of the line against docs/wire.md, thermo_core and cbor2: counters, records, framing, CBOR."""

import ctypes
import itertools
import math
import re
import struct
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from smp import packet as smp_packet

from thermo_core.errors import ManagementError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.sensors.kind import Block
from thermo_core.wire import events, records
from thermo_core.wire.framing import MAX_RECORD, Demultiplexer, ManagementFrame, encode_frame, encode_packet
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_core.wire.smp import SmpMessage
from thermo_core.wire.table import LIMITS, NO_SENSOR, OutputKind, Severity

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wire.md"
MAX_MESSAGE = 2048 + 64
LONGEST_BLOCK, LONGEST_PART = 960, 240
"""What the firmware sends at once; the wire allows more."""
U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
Sink = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)


@pytest.fixture(scope="module")
def vectors() -> dict[str, bytes]:
    """Hex blocks of docs/wire.md by name."""
    blocks = re.findall(r"^```hex ([a-z-]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {name: bytes.fromhex(block) for name, block in blocks}


# Counters.


def test_faults_and_counters_are_cores(wire: Any) -> None:
    faults = ctypes.c_size_t()
    rows: dict[str, tuple[int, int, str]] = {}
    for counter in range(wire.wire_counter_count(ctypes.byref(faults))):
        code, severity, sentence = ctypes.c_int(), ctypes.c_int(), ctypes.c_char_p()
        name = wire.wire_counter(counter, ctypes.byref(code), ctypes.byref(severity), ctypes.byref(sentence))
        assert sentence.value is not None and (counter < faults.value) == bool(sentence.value)
        rows[name.decode()] = (code.value, severity.value, sentence.value.decode())
    mine = {name: row for name, row in rows.items() if row[0]}
    assert mine == {name: (one.code, int(one.severity), one.text) for name, one in events.FAULTS.items()}
    assert set(rows) - set(mine) == set(events.COUNTS)


# Records.


class Head(ctypes.Structure):
    """struct records_head."""

    _fields_ = [("sequence", ctypes.c_uint16), ("time_us", ctypes.c_uint64)]


class BlockHead(ctypes.Structure):
    """struct records_block."""

    _fields_ = [
        ("sensor", ctypes.c_uint8),
        ("constants", ctypes.c_uint32),
        ("index", ctypes.c_uint32),
        ("size", ctypes.c_size_t),
    ]


class SignalPart(ctypes.Structure):
    """struct records_signal."""

    _fields_ = [
        ("signal", ctypes.c_uint8),
        ("flags", ctypes.c_uint16),
        ("elements", ctypes.c_uint16),
        ("first", ctypes.c_uint16),
        ("count", ctypes.c_uint16),
        ("values", ctypes.c_void_p),
    ]


class Finding(ctypes.Structure):
    """struct finding."""

    _fields_ = [
        ("time_us", ctypes.c_int64),
        ("values", ctypes.c_void_p),
        ("flags", ctypes.c_uint16),
        ("model", ctypes.c_uint8),
        ("count", ctypes.c_uint8),
    ]


class Newest(ctypes.Structure):
    """struct records_newest."""

    _fields_ = [("sensor", ctypes.c_uint8), ("index", ctypes.c_uint32)]


class FindingHead(ctypes.Structure):
    """struct records_finding."""

    _fields_ = [
        ("finding", ctypes.POINTER(Finding)),
        ("quantities", ctypes.c_bool),
        ("bundle", ctypes.c_uint32),
        ("latency_us", ctypes.c_uint32),
        ("inference_us", ctypes.c_uint32),
        ("newest", ctypes.POINTER(Newest)),
        ("newest_count", ctypes.c_uint8),
    ]


class Alert(ctypes.Structure):
    """struct alert."""

    _fields_ = [
        ("state", ctypes.c_int),
        ("count", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("since_us", ctypes.c_int64),
        ("time_us", ctypes.c_int64),
        ("value", ctypes.c_float),
    ]


class Event(ctypes.Structure):
    """struct records_event."""

    _fields_ = [
        ("code", ctypes.c_uint16),
        ("severity", ctypes.c_int),
        ("sensor", ctypes.c_uint8),
        ("count", ctypes.c_uint32),
        ("sentence", ctypes.c_char_p),
    ]


class Clock(ctypes.Structure):
    """struct records_clock."""

    _fields_ = [("unix_us", ctypes.c_uint64)] + [
        (name, ctypes.c_uint32) for name in ("lease_left_ms", "dropped", "captured", "lost")
    ]


def firmware_record(wire: Any, record: Record, sequence: int, capacity: int = 2048) -> bytes:
    """The record as the firmware writes it; b"" where it refuses."""
    buffer = (ctypes.c_uint8 * 2048)(*[0xA5] * 2048)
    head = Head(sequence, record.time_us)
    match record:
        case Block():
            ctypes.memmove(ctypes.byref(buffer, 19), record.data, len(record.data))
            # the number of the constants travels modulo 65536
            constants = record.constants + 65536 * (sequence % 3)
            made = BlockHead(record.sensor, constants, record.index, len(record.data))
            size = wire.records_block(buffer, capacity, head, ctypes.byref(made))
        case SignalRecord():
            values = np.ascontiguousarray(record.values, np.float32)
            part = SignalPart(
                record.signal, record.flags, record.elements, record.first, values.size, values.ctypes.data
            )
            size = wire.records_signal(buffer, capacity, head, ctypes.byref(part))
        case FindingRecord():
            values = np.asarray(record.values, np.float32)
            said = Finding(record.time_us, values.ctypes.data, record.flags, record.model, values.size)
            newest = (Newest * max(1, len(record.newest)))(*(Newest(*one) for one in record.newest))
            quantities = record.kind is OutputKind.QUANTITIES
            numbers = record.bundle, record.latency_us, record.inference_us
            whole = FindingHead(ctypes.pointer(said), quantities, *numbers, newest, len(record.newest))
            size = wire.records_finding(buffer, capacity, head, ctypes.byref(whole))
        case AlertRecord(_, change):
            alert = Alert(change.state, 0, change.flags, 0, change.time_us, change.value)
            size = wire.records_alert(buffer, capacity, head, change.alert, ctypes.byref(alert))
        case EventRecord(_, code, severity, sensor, count, text):
            about = NO_SENSOR if sensor is None else sensor
            event = Event(code, severity, about, count, text.encode())
            size = wire.records_event(buffer, capacity, head, ctypes.byref(event))
        case ClockRecord(_, unix_us, left_ms, dropped, captured, lost):
            size = wire.records_clock(
                buffer, capacity, head, ctypes.byref(Clock(unix_us, left_ms, dropped, captured, lost))
            )
    assert bytes(buffer[size if size else capacity :]).strip(b"\xa5") == b"" or not size
    return bytes(buffer[:size])


TIMES = st.integers(0, 2**63 - 1)
BLOCKS = st.builds(Block, U64, U8, U16, U32, st.binary(min_size=1, max_size=LONGEST_BLOCK))
NUMBERS = st.floats(width=32, allow_nan=False) | st.just(float(np.float32(np.nan)))


@st.composite
def signal_parts(draw: st.DrawFn) -> SignalRecord:
    values = np.array(draw(st.lists(NUMBERS, min_size=1, max_size=LONGEST_PART)), np.float32)
    first = draw(st.integers(0, 65535 - values.size))
    elements = draw(st.integers(first + values.size, 65535))
    return SignalRecord(draw(U64), draw(U8), draw(U16), first, elements, values)


OUTPUTS = int(LIMITS["outputs"].high)
SCORES = st.tuples(
    st.just(OutputKind.SCORES),
    st.lists(st.integers(0, 65535).map(lambda score: score / 65535), min_size=1, max_size=OUTPUTS),
)
QUANTITIES = st.tuples(st.just(OutputKind.QUANTITIES), st.lists(NUMBERS, min_size=1, max_size=OUTPUTS))
NOTHING = st.just((OutputKind.NONE, list[float]()))
FINDINGS = st.one_of(SCORES, QUANTITIES, NOTHING).flatmap(
    lambda said: st.builds(
        FindingRecord,
        TIMES, U8, U16, U32, U32, U32,
        st.lists(st.tuples(U8, U32), max_size=int(LIMITS["sensors"].high)).map(tuple),
        st.just(said[0]), st.just(tuple(said[1])),
    )
)  # fmt: skip
CHANGES = st.builds(AlertChange, U8, st.sampled_from(AlertState), TIMES, NUMBERS, U16)
ALERTS = st.builds(AlertRecord, U64, CHANGES)
SENTENCES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300)
ABOUT = st.none() | st.integers(0, NO_SENSOR - 1)
EVENTS = st.builds(EventRecord, U64, U16, st.sampled_from(Severity), ABOUT, U32, SENTENCES)
CLOCKS = st.builds(ClockRecord, U64, U64, U32, U32, U32, U32)


@settings(max_examples=300, deadline=None)
@given(st.one_of(BLOCKS, signal_parts(), FINDINGS, ALERTS, EVENTS, CLOCKS), U16)
def test_records_are_those_of_core(wire: Any, record: Record, sequence: int) -> None:
    wanted = records.encode(record, sequence)
    assert firmware_record(wire, record, sequence) == wanted
    assert firmware_record(wire, record, sequence, len(wanted)) == wanted
    assert firmware_record(wire, record, sequence, len(wanted) - 1) == b""


def test_records_on_the_page(wire: Any, vectors: dict[str, bytes]) -> None:
    for name, vector in vectors.items():
        if name.startswith("record-"):
            header, record = records.decode(vector)
            assert firmware_record(wire, record, header.sequence) == vector, name


@pytest.mark.parametrize("size", [0, LONGEST_BLOCK + 1])
def test_blocks_that_it_has_no_room_for_are_refused(wire: Any, size: int) -> None:
    assert firmware_record(wire, Block(0, 0, 0, 0, bytes(size)), 0) == b""


@pytest.mark.parametrize(("first", "count", "elements"), [(0, 0, 5), (0, LONGEST_PART + 1, 500), (3, 3, 5)])
def test_parts_of_signals_that_cannot_be_are_refused(wire: Any, first: int, count: int, elements: int) -> None:
    part = SignalRecord(0, 0, 0, first, elements, np.zeros(count, np.float32))
    assert firmware_record(wire, part, 0) == b""


# Framing.


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


# CBOR.


class Writer(ctypes.Structure):
    """struct cbor_writer."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("capacity", ctypes.c_size_t),
        ("used", ctypes.c_size_t),
        ("overflow", ctypes.c_bool),
    ]


def firmware_cbor(wire: Any, value: Any, capacity: int) -> bytes | None:
    """The value as the firmware writes it; None where it overflows."""
    buffer = (ctypes.c_uint8 * 4096)(*[0xA5] * 4096)
    writer = Writer()
    target = ctypes.byref(writer)
    wire.cbor_begin(target, buffer, capacity)

    def write(item: Any) -> None:
        match item:
            case None:
                wire.cbor_null(target)
            case bool():
                wire.cbor_bool(target, item)
            case int():
                number = ctypes.c_int64(item) if item < 2**63 else ctypes.c_uint64(item)
                (wire.cbor_signed if item < 2**63 else wire.cbor_unsigned)(target, number)
            case float():
                wire.cbor_float(target, ctypes.c_float(item))
            case str():
                encoded = item.encode()
                wire.cbor_text_bytes(target, encoded, len(encoded))
            case bytes():
                wire.cbor_bytes(target, item, len(item))
            case list():
                opened = wire.cbor_open_array(target)
                for inner in item:
                    write(inner)
                wire.cbor_close_array(target, opened, len(item))
            case dict():
                wire.cbor_map(target, len(item))
                for key in sorted(item, key=lambda key: (len(key.encode()), key.encode())):
                    write(key)
                    write(item[key])

    write(value)
    assert bytes(buffer[capacity:]).strip(b"\xa5") == b""
    return None if writer.overflow else bytes(buffer[: writer.used])


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(width=32)
    | st.floats(width=16)
    | st.text(max_size=30)
    | st.binary(max_size=30)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_cbor_is_written_as_cbor2_writes_it(wire: Any, value: Any) -> None:
    wanted = cbor2.dumps(value, canonical=True)
    if len(wanted) < 4000:
        assert firmware_cbor(wire, value, len(wanted)) == wanted
        assert firmware_cbor(wire, value, len(wanted) - 1) is None


class Item(ctypes.Structure):
    """struct cbor_item."""

    _fields_ = [
        ("kind", ctypes.c_int),
        ("number", ctypes.c_uint64),
        ("real", ctypes.c_float),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
    ]


def found(wire: Any, body: Any, size: int, key: bytes) -> Any:
    """The value of a key: lists and maps as their kind alone; KeyError where it is not there."""
    item = Item()
    if not wire.cbor_find(body, size, key, ctypes.byref(item)):
        raise KeyError(key)
    payload = ctypes.string_at(item.data, item.size) if item.data else b""
    return {
        0: lambda: item.number,
        1: lambda: -1 - item.number,
        2: lambda: payload,
        3: payload.decode,
        4: lambda: list,
        5: lambda: dict,
        6: lambda: bool(item.number),
        7: lambda: None,
        8: lambda: item.real,
    }[item.kind]()


def head(major: int, argument: int, form: int) -> bytes:
    """A head; `form` 0 the shortest, else at least so many bytes of argument."""
    if argument < 24 and form == 0:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if size >= form and argument < 256**size)
    return bytes([major << 5 | 23 + size.bit_length()]) + argument.to_bytes(size, "big")


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> bytes:
    """One of the many ways to spell a value in CBOR."""
    form = draw(st.sampled_from([0, 0, 0, 1, 2, 4, 8]))
    loose = draw(st.integers(0, 3)) == 0
    match value:
        case None | bool():
            return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
        case int():
            return head(0, value, form) if value >= 0 else head(1, -1 - value, form)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str() | bytes():
            major, data = (3, value.encode()) if isinstance(value, str) else (2, value)
            if not loose:
                return head(major, len(data), form) + data
            at = draw(st.integers(0, len(data)))
            pieces = [data[:at], data[at:]]
            return bytes([major << 5 | 31]) + b"".join(head(major, len(p), form) + p for p in pieces) + b"\xff"
        case list():
            items = b"".join(draw(spelled(item)) for item in value)
            return b"\x9f" + items + b"\xff" if loose else head(4, len(value), form) + items
    pairs = b"".join(draw(spelled(key)) + draw(spelled(item)) for key, item in value.items())
    return b"\xbf" + pairs + b"\xff" if loose else head(5, len(value), form) + pairs


def core_body(data: bytes) -> dict[str, Any] | None:
    """What core reads; None where it refuses."""
    try:
        message = SmpMessage.decode(b"\x0a\0" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data)
    except ManagementError:
        return None
    return dict(message.body)


def plain(value: Any) -> Any:
    """As `found` gives it: floats in single precision, lists and maps as their kind."""
    if isinstance(value, float) and not math.isnan(value):
        return (
            ctypes.c_float(value).value
            if math.isinf(value) or abs(value) < 3.4e38
            else math.copysign(3.4028234663852886e38, value)
        )
    return type(value) if isinstance(value, list | dict) else value


def check_reading(wire: Any, data: bytes) -> None:
    """The firmware takes and refuses the bodies that core does, and finds the same values in them."""
    wanted = core_body(data)
    body, size = ctypes.create_string_buffer(data, max(1, len(data))), ctypes.c_size_t(len(data))
    fault = wire.cbor_check(body, ctypes.byref(size))
    assert (fault == 0) == (wanted is not None), (data.hex(), fault, wanted)
    if wanted is None:
        return
    assert size.value <= len(data)
    for key, value in wanted.items():
        if "\0" not in key:
            mine, theirs = found(wire, body, size.value, key.encode()), plain(value)
            assert mine == theirs or (math.isnan(mine) and math.isnan(theirs)), key
    with pytest.raises(KeyError):
        found(wire, body, size.value, b"no such key of a message")


READ_VALUES = st.recursive(
    LEAVES | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.text(max_size=3), READ_VALUES, max_size=5).flatmap(spelled), st.data())
def test_any_spelling_of_a_body_is_read_as_core_reads_it(wire: Any, body: bytes, data: st.DataObject) -> None:
    check_reading(wire, body)
    check_reading(wire, body[: data.draw(st.integers(0, len(body)))])
    check_reading(wire, body + b"\x00")


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.text(max_size=3), READ_VALUES, max_size=4).flatmap(spelled), st.data())
def test_a_damaged_body_is_refused_where_core_refuses_it(wire: Any, body: bytes, data: st.DataObject) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255).filter(lambda byte: byte >> 5 != 6)  # tags are refused here and not always there
        )
    if not any(byte >> 5 == 6 for byte in damaged):
        check_reading(wire, bytes(damaged))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("a16161c100", "other than"),
        ("a16161f7", "other than"),
        ("a2616101616102", "twice"),
        ("a2616101 7f6161ff02", "twice"),
        ("a10102", "no text"),
        ("8101", "no CBOR map"),
        ("a16161" + "81" * 16 + "00", "deeper"),
        ("a1616162ff", "ends before"),
        ("a1616162c328", "not CBOR"),
        ("a16161fc", "not CBOR"),
        ("bf6161ff", "not CBOR"),
        ("a1", "ends before"),
        ("bb" + "ff" * 8, "ends before"),
    ],
)
def test_refusals_of_bodies_are_told_apart(wire: Any, body: str, fault: str) -> None:
    data = bytes.fromhex(body)
    buffer, size = ctypes.create_string_buffer(data, len(data)), ctypes.c_size_t(len(data))
    wire.cbor_fault_text.restype = ctypes.c_char_p
    assert fault in wire.cbor_fault_text(wire.cbor_check(buffer, ctypes.byref(size))).decode()


def test_depth_and_keys_are_bounded(wire: Any) -> None:
    check_reading(wire, bytes.fromhex("a16161" + "81" * 15 + "00"))
    check_reading(wire, bytes.fromhex("a16161" + "81" * 16 + "00"))
    check_reading(wire, cbor2.dumps({str(i): {str(j): 0 for j in range(3)} for i in range(60)}))
    data = cbor2.dumps({str(i): i for i in range(65)})
    buffer, size = ctypes.create_string_buffer(data), ctypes.c_size_t(len(data))
    wire.cbor_fault_text.restype = ctypes.c_char_p
    assert b"64 keys" in wire.cbor_fault_text(wire.cbor_check(buffer, ctypes.byref(size)))


# Sentences.


class Text(ctypes.Structure):
    """struct text."""

    _fields_ = [("data", ctypes.c_void_p), ("capacity", ctypes.c_size_t), ("used", ctypes.c_size_t)]


def sentence(wire: Any, capacity: int, add: Any) -> str:
    """What `add(text)` puts into a text of so many bytes."""
    buffer, text = ctypes.create_string_buffer(b"\xa5" * 600, 600), Text()
    wire.text_begin(ctypes.byref(text), buffer, ctypes.c_size_t(capacity))
    add(ctypes.byref(text))
    assert buffer.raw[text.used] == 0 and text.used < capacity and buffer.raw[capacity:] == b"\xa5" * (600 - capacity)
    return buffer.raw[: text.used].decode()


@given(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=20))
def test_numbers_in_sentences(wire: Any, number: int, data: bytes) -> None:
    add = wire.text_add_signed if number < 2**63 else wire.text_add_unsigned
    value = ctypes.c_int64(number) if number < 2**63 else ctypes.c_uint64(number)
    assert sentence(wire, 100, lambda text: add(text, value)) == str(number)
    assert sentence(wire, 100, lambda text: wire.text_add_hex(text, data, len(data))) == data.hex()


@given(st.floats(-1e6, 1e6, width=32), st.integers(0, 4))
def test_floats_in_sentences(wire: Any, number: float, decimals: int) -> None:
    said = sentence(wire, 100, lambda text: wire.text_add_float(text, ctypes.c_float(number), decimals))
    assert re.fullmatch(r"-?\d+" + (rf"\.\d{{{decimals}}}" if decimals else ""), said)
    assert float(said) == pytest.approx(number, abs=0.5001 * 10**-decimals + 1e-6)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60), st.integers(1, 100))
def test_sentences_are_cut_between_characters(wire: Any, text: str, capacity: int) -> None:
    wanted = text.encode()[: capacity - 1].decode(errors="ignore")
    assert sentence(wire, capacity, lambda target: wire.text_add(target, text.encode())) == wanted
