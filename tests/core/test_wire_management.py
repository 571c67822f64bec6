"""Group 65: every request and answer comes back through a real SMP message, and a bad field is named."""

import math
from typing import Any

import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from thermo_core.errors import ManagementError
from thermo_core.wire import management
from thermo_core.wire.management import (
    MAX_BLOB,
    Acknowledge,
    Alerts,
    AlertState,
    Baseline,
    Baselines,
    Counters,
    Feed,
    Forget,
    Hello,
    HelloRequest,
    Kept,
    KeptRequest,
    Message,
    OfSensor,
    Part,
    Person,
    Rate,
    ReadPart,
    Refusal,
    SelfTest,
    SelfTestRequest,
    SelfTestResult,
    SensorState,
    Signals,
    StreamAnswer,
    StreamRequest,
    Written,
    read,
)
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage
from thermo_core.wire.table import MAX_FED, Command, StreamOp

TEXT = st.text(max_size=12)
U8, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
TIME = st.integers(0, 2**63 - 1)
BINARY = st.binary(max_size=8)
HASH = st.binary(max_size=32)
YES = st.booleans()
STATES = st.builds(
    SensorState, kind=TEXT, id=BINARY, constants=U32, rate_hz=st.floats(0, 1e6), corrected=YES, fault=TEXT
)
BASELINES = st.builds(Baseline, signal=U8, age_us=TIME, learned_us=TIME, samples=U32, ready=U16, parts=U16)
HELLOS = st.builds(
    Hello,
    name=TEXT,
    serial=TEXT,
    software=TEXT,
    platform=TEXT,
    profile=TEXT,
    profile_sha256=HASH,
    bundle=TEXT,
    bundle_sha256=HASH,
    time_us=TIME,
    sensors=st.lists(STATES, max_size=32).map(tuple),
    sensor_count=U8,
    simulated=YES,
    development_key=YES,
    waived=st.lists(TEXT, max_size=8).map(tuple),
    lease_max_ms=U32,
    protocol=U8,
)
PARTS = st.builds(
    lambda at, data, more, sensor, constants: Part(
        off=at, len=at + len(data) + more, data=data, sensor=sensor, constants=constants
    ),
    st.integers(0, 9999),
    st.binary(),
    U8,
    U8,
    U32,
)
RESULTS = st.builds(SelfTestResult, name=TEXT, passed=YES, detail=TEXT)
BODIES: st.SearchStrategy[Message] = st.one_of(
    HELLOS,
    st.builds(
        StreamRequest, op=st.sampled_from(StreamOp), lease_ms=U32, key_interval=st.none() | st.integers(1, 32_767)
    ),
    st.builds(StreamAnswer, lease_ms=U32, time_us=TIME),
    st.builds(ReadPart, off=st.integers(0, MAX_BLOB), sensor=U8, slot=st.integers(0, 1)),
    PARTS,
    st.builds(Written, off=st.integers(0, MAX_BLOB)),
    st.builds(OfSensor, sensor=U8),
    st.builds(Rate, rate_hz=st.floats(0, 1e6, exclude_min=True), sensor=U8),
    st.builds(HelloRequest, first=U8),
    st.builds(SelfTestRequest, part=st.none() | U8),
    st.builds(SelfTest, results=st.lists(RESULTS, max_size=4).map(tuple)),
    st.builds(Counters, counters=st.dictionaries(TEXT, TIME, max_size=5)),
    st.builds(Refusal, reason=TEXT, time_us=TIME),
    st.builds(Signals, signals=st.lists(U8, max_size=16).map(tuple)),
    st.builds(Feed, sensor=U8, values=st.binary(min_size=4, max_size=4 * MAX_FED)),
    st.builds(
        Person, person=st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=4)
    ),
    st.builds(Alerts, alerts=st.lists(st.builds(AlertState, state=U8, time_us=TIME), max_size=32).map(tuple)),
    st.builds(Acknowledge, alert=U8),
    st.builds(Baselines, stages=st.lists(BASELINES, max_size=8).map(tuple)),
    st.builds(Forget, signal=st.one_of(st.none(), U8)),
    st.builds(KeptRequest),
)


def test_every_kind_of_message_is_drawn() -> None:
    kinds = {kind for kind in vars(management).values() if isinstance(kind, type) and issubclass(kind, Message)}
    drawn = {Hello, StreamRequest, StreamAnswer, ReadPart, Part, Written, OfSensor, Rate, SelfTest, Counters, Refusal}
    drawn |= {
        Signals,
        Feed,
        Person,
        Alerts,
        Acknowledge,
        Baseline,
        Baselines,
        Forget,
        Kept,
        KeptRequest,
        HelloRequest,
        SelfTestRequest,
        Message,
        SensorState,
        SelfTestResult,
        AlertState,
    }
    assert kinds == drawn


@few(150, of=500)
@given(BODIES)
def test_bodies_come_back_through_messages_and_newer_keys_do_no_harm(body: Message) -> None:
    header = SmpHeader(Op.WRITE, Group.THERMO, Command.HELLO)
    carried = SmpMessage.decode(SmpMessage(header, body.to_map()).encode()).body
    assert read(type(body), carried) == body
    assert read(type(body), {**carried, "from a newer peer": [1]}) == body


HELLO = Hello(
    name="n", serial="s", software="1", platform="sim", profile="p", profile_sha256=b"", time_us=5, lease_max_ms=5000
)
NEEDED = ("name", "serial", "software", "platform", "profile", "profile_sha256")


@pytest.mark.parametrize("key", HELLO.to_map())
@pytest.mark.parametrize("wrong", [None, [None], {"a": 1}, -1, 1.5])
def test_a_bad_field_of_hello_is_named(key: str, wrong: object) -> None:
    with pytest.raises(ManagementError, match=rf"fit Hello: {key}\b.*\.$"):
        read(Hello, {**HELLO.to_map(), key: wrong})
    body = {k: v for k, v in HELLO.to_map().items() if k != key}
    if key in NEEDED:
        with pytest.raises(ManagementError, match=rf"Hello: {key} is missing\.$"):
            read(Hello, body)
    else:
        assert read(Hello, body).name == "n"


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (StreamRequest, {"op": 3, "lease_ms": 1}, "op"),
        (StreamRequest, {"op": True, "lease_ms": 1}, "op"),
        (StreamRequest, {"lease_ms": 1}, "op"),
        (StreamRequest, {"op": 1, "lease_ms": 1 << 32}, "lease_ms"),
        (StreamRequest, {"op": 1, "lease_ms": -1}, "lease_ms"),
        (StreamRequest, {"op": 1, "lease_ms": 1, "key_interval": 0}, "key_interval"),
        (StreamRequest, {"op": 1, "lease_ms": 1, "key_interval": 32_768}, "key_interval"),
        (ReadPart, {"off": -1}, "off"),
        (ReadPart, {"slot": 2}, "slot"),
        (ReadPart, {"sensor": 256}, "sensor"),
        (Part, {"off": 0, "len": 4, "data": "text"}, "data"),
        (Part, {"off": 0, "len": MAX_BLOB + 1, "data": b""}, "len"),
        (SelfTest, {"results": {}}, "results"),
        (SelfTest, {"results": [1]}, "results[0]"),
        (SelfTest, {"results": [{"name": "x", "passed": 1, "detail": ""}]}, "results[0].passed"),
        (Counters, {"counters": {"nacks": -1}}, "counters"),
        (Counters, {}, "counters"),
        (Rate, {"rate_hz": math.nan}, "finite"),
        (Rate, {"rate_hz": 10**400}, "rate_hz"),
        (Rate, {"rate_hz": 0}, "rate_hz"),
        (Rate, {"rate_hz": True}, "rate_hz"),
        (Hello, {**HELLO.to_map(), "sensors": [{"kind": "k", "id": bytes(9)}]}, "sensors[0].id"),
        (Hello, {**HELLO.to_map(), "sensors": [{"kind": "k"}] * 33}, "sensors"),
        (Hello, {**HELLO.to_map(), "waived": "ab"}, "waived"),
        (Hello, {**HELLO.to_map(), "name": "n" * 513}, "name"),
        (Signals, {"signals": [256]}, "signals[0]"),
        (Signals, {"signals": [1] * 17}, "signals"),
        (Feed, {"sensor": 0, "values": b"abc"}, "values"),
        (Feed, {"sensor": 0, "values": bytes(4 * MAX_FED + 1)}, "values"),
        (Person, {"person": {"age_years": "old"}}, "person"),
        (Acknowledge, {"alert": -1}, "alert"),
        (Forget, {"signal": 256}, "signal"),
        (Baselines, {"stages": [{"signal": 1}]}, "stages[0]"),
    ],
)
def test_a_bad_field_is_named(kind: type[Message], body: dict[str, Any], field: str) -> None:
    with pytest.raises(ManagementError) as caught:
        read(kind, body)
    assert field in str(caught.value)
    assert kind.__name__ in str(caught.value)


def test_what_no_cbor_holds_is_refused() -> None:
    with pytest.raises(ManagementError, match="holds a object, which has no place there"):
        read(Hello, {**HELLO.to_map(), "name": object()})


def test_a_part_beyond_its_whole_is_refused() -> None:
    with pytest.raises(ManagementError, match="2 bytes at 2 reach beyond a whole of 3"):
        read(Part, {"off": 2, "len": 3, "data": b"ab"})


def test_what_may_be_left_out() -> None:
    assert read(StreamRequest, {"op": 0}) == StreamRequest(op=StreamOp.STOP)
    assert read(ReadPart, {}) == ReadPart(off=0, sensor=0, slot=0)
    assert "key_interval" not in replace(StreamRequest(op=StreamOp.START), lease_ms=5).to_map()
