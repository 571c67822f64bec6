"""Group 65: every request and answer comes back through a real SMP message, and a bad field is named."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import ManagementError
from thermo_core.wire import management
from thermo_core.wire.management import (
    Chunk,
    Command,
    Counters,
    Hello,
    Rate,
    ReadChunk,
    Refusal,
    SelfTest,
    SelfTestResult,
    SensorInfo,
    StreamAnswer,
    StreamOp,
    StreamRequest,
    Written,
)
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage

TEXT = st.text(max_size=12)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
U8, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 32, 64))
SENSORS = st.builds(
    SensorInfo,
    TEXT,
    U8,
    st.integers(0, 127),
    st.binary(max_size=6),
    NUMBER,
    st.integers(0, 32),
    st.booleans(),
    st.none() | NUMBER,
    st.none() | NUMBER,
    TEXTS,
)
HELLOS = st.builds(
    Hello,
    *[TEXT] * 6,
    U64,
    st.lists(SENSORS, max_size=3).map(tuple),
    *[st.booleans()] * 3,
    U32,
    TEXT,
    TEXTS,
    U8,
    TEXTS,
)
CHUNKS = st.builds(lambda at, data, more: Chunk(at, at + len(data) + more, data), st.integers(0, 9999), st.binary(), U8)
BODIES = st.one_of(
    HELLOS,
    st.builds(StreamRequest, st.sampled_from(StreamOp), U32, st.none() | st.integers(1, 65535)),
    st.builds(StreamAnswer, U32, U64),
    st.builds(ReadChunk, st.integers(0, 9999), U8, st.integers(0, 1)),
    CHUNKS,
    st.builds(Written, st.integers(0, 9999)),
    st.lists(st.builds(SelfTestResult, TEXT, st.booleans(), TEXT), max_size=4).map(lambda r: SelfTest(tuple(r))),
    st.dictionaries(TEXT, U64, max_size=5).map(Counters),
    st.builds(Rate, NUMBER),
    st.builds(Refusal, TEXT, U64),
)


@settings(max_examples=500, deadline=None)
@given(BODIES)
def test_bodies_come_back_through_messages_and_newer_keys_do_no_harm(body: Any) -> None:
    header = SmpHeader(Op.WRITE, Group.THERMO, Command.HELLO)
    carried = SmpMessage.decode(SmpMessage(header, body.to_map()).encode()).body
    assert type(body).from_map(carried) == body
    assert type(body).from_map({**carried, "from a newer peer": [1]}) == body


HELLO = Hello("n", "s", "1", "sim", "p", "", 5, (), True, False, True, 5000, "notice")


@pytest.mark.parametrize("missing", [key for key in HELLO.to_map() if key not in ("labels", "waived")])
@pytest.mark.parametrize("wrong", [None, [None], {"a": 1}, -1, object()])
def test_a_bad_field_of_hello_is_named(missing: str, wrong: object) -> None:
    for body in ({**HELLO.to_map(), missing: wrong}, {k: v for k, v in HELLO.to_map().items() if k != missing}):
        with pytest.raises(ManagementError, match=f'"{missing}"'):
            Hello.from_map(body)


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (StreamRequest, {"op": 3, "lease_ms": 1}, "op"),
        (StreamRequest, {"op": True, "lease_ms": 1}, "op"),
        (StreamRequest, {"op": 1}, "lease_ms"),
        (StreamRequest, {"op": 1, "lease_ms": 1 << 32}, "lease_ms"),
        (StreamRequest, {"op": 1, "lease_ms": 1, "key_interval": 0}, "key_interval"),
        (ReadChunk, {"off": -1}, "off"),
        (ReadChunk, {"slot": 2}, "slot"),
        (Chunk, {"off": 0, "len": 4, "data": "text"}, "data"),
        (Chunk, {"off": 0, "len": management.MAX_BLOB + 1, "data": b""}, "len"),
        (SelfTest, {"results": {}}, "results"),
        (SelfTest, {"results": [1]}, "results"),
        (SelfTest, {"results": [{"name": "x", "passed": 1, "detail": ""}]}, "passed"),
        (Counters, {"counters": {"nacks": -1}}, "nacks"),
        (Counters, {}, "counters"),
        (Rate, {"rate_hz": float("nan")}, "rate_hz"),
        (Rate, {"rate_hz": 10**400}, "rate_hz"),
        (Rate, {"rate_hz": True}, "rate_hz"),
        (SensorInfo, {**SensorInfo("k", 0, 1, b"", 1.0, 18).to_map(), "address": 128}, "address"),
        (SensorInfo, {**SensorInfo("k", 0, 1, b"", 1.0, 18).to_map(), "channels": [1]}, "channels"),
        (Hello, {**HELLO.to_map(), "labels": "ab"}, "labels"),
    ],
)
def test_a_bad_field_is_named(kind: Any, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ManagementError, match=f'"{field}"'):
        kind.from_map(body)


def test_a_part_beyond_its_whole_is_refused() -> None:
    with pytest.raises(ManagementError, match="reaches beyond its whole of 3 bytes"):
        Chunk.from_map({"off": 2, "len": 3, "data": b"ab"})


def test_what_may_be_left_out() -> None:
    assert StreamRequest.from_map({"op": 0}) == StreamRequest(StreamOp.STOP)
    assert ReadChunk.from_map({}) == ReadChunk(0, 0, 0)
