"""Counters and records of the firmware: those of thermo_core, and of docs/wire.md."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.sensors.kind import Block
from thermo_core.wire import events, records
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_core.wire.table import LIMITS, NO_SENSOR, OutputKind, Severity

LONGEST_BLOCK, LONGEST_PART = 960, 240
"""What the firmware sends at once; the wire allows more."""
U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))


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
