"""The firmware's SMP server against the Python agent's: the same requests, the same answers."""

from typing import Any

import cbor2
import pytest
from firmware_smp import Firmware
from hypothesis import given, settings
from hypothesis import strategies as st
from smp_bench import python_server

from thermo_core.wearable.person import FIELDS
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage
from thermo_core.wire.table import Command
from thermo_device import wearable_group


def same_but_for_sentences(mine: bytes, theirs: bytes) -> bool:
    """Equal answers; where both give a reason, each in its own words."""
    if mine == theirs:
        return True
    first, second = SmpMessage.decode(mine), SmpMessage.decode(theirs)
    bodies = [{key: _shared(key, value) for key, value in m.body.items()} for m in (first, second)]
    return first.header == second.header and bodies[0] == bodies[1]


def _shared(key: str, value: Any) -> Any:
    """What of an answer's field both have: of reasons, that there is one; of counts, all but those of refusals, which `Bench` has not."""
    if key in ("rsn", "reason"):
        return bool(value)
    if key == "counters":
        return {name: count for name, count in value.items() if name != "requests_refused"}
    return value


KEYS = ["d", "off", "sensor", "slot", "op", "lease_ms", "key_interval", "format", "rate_hz"]
KEYS += ["signals", "values", "person", "alert"]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.integers(90, 110)
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0.5, 64.0, 64.5, float("nan"), float("inf"), 1e300])
    | st.text(max_size=8)
    | st.text("snrvmpioab", max_size=4)
    | st.binary(max_size=40)
)
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(KEYS), LEAVES, max_size=2)
SENSIBLE = st.fixed_dictionaries(
    {},
    optional={
        "off": st.integers(0, 2600),
        "sensor": st.integers(0, 3),
        "slot": st.integers(0, 1),
        "op": st.integers(0, 2),
        "lease_ms": st.integers(0, 20000),
        "key_interval": st.none() | st.integers(1, 65535),
        "signals": st.lists(st.integers(0, 5), max_size=17),
        "values": st.binary(max_size=12) | st.just(bytes(8)),
        "person": st.dictionaries(
            st.sampled_from([*FIELDS, "iq"]), st.integers(-1, 130) | st.floats(0, 130) | LEAVES, max_size=3
        ),
        "alert": st.integers(0, 2),
        "rate_hz": st.integers(0, 70) | st.floats(0, 70),
        "d": st.text(max_size=20),
        "format": st.text("snrvmpioab", max_size=4),
    },
)
BODIES = SENSIBLE | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4) | VALUES


def build(first: int, group: int, command: int, body: object, lie: int, cut: int) -> bytes:
    """A message that may lie about its length or be cut short."""
    data = cbor2.dumps(body)
    length = (len(data) + lie) % 65536
    head = bytes([first, 0]) + length.to_bytes(2, "big") + group.to_bytes(2, "big") + bytes([5, command])
    return (head + data)[: len(head + data) - cut]


MESSAGES = st.builds(
    build,
    st.sampled_from([0, 2, 8, 10, 8, 10]) | st.integers(0, 255),
    st.sampled_from([0, 65, 65, 65]) | st.integers(0, 65535),
    st.integers(0, 15) | st.integers(0, 255),
    BODIES,
    st.just(0) | st.integers(-3, 3),
    st.just(0) | st.integers(0, 12),
)


def differs_on_purpose(message: bytes) -> bool:
    """Buffer size, bootloader, images, and corrections, which have tests of their own."""
    group, command = int.from_bytes(message[4:6], "big"), message[7] if len(message) > 7 else 0
    return (
        group == 1
        or (group, command) in ((0, 6), (0, 8))
        or (group, command, message[0] & 7) == (65, int(Command.CORRECTION), 2)
    )


@settings(max_examples=1500, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=6))
def test_answers_are_those_of_the_python_agent(wire: Any, messages: list[bytes]) -> None:
    firmware, server = Firmware(wire), python_server()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wearable_group, "PART_BYTES", 1024)
        for message in messages:
            if len(message) >= 8 and differs_on_purpose(message):
                continue
            mine, theirs = firmware.answer(message), server.answer(message)
            assert (mine is None) == (theirs is None), message.hex()
            assert mine is None or theirs is None or same_but_for_sentences(mine, theirs), (mine, theirs)


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("version", [0, 1])
def test_plain_requests_are_answered_byte_for_byte_alike(wire: Any, command: Command, version: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wearable_group, "PART_BYTES", 1024)
        for op, body in ((Op.READ, {}), (Op.WRITE, {"op": 1, "lease_ms": 3000, "rate_hz": 8.0})):
            if (command, op) != (Command.CORRECTION, Op.WRITE):
                message = SmpMessage(SmpHeader(op, Group.THERMO, command, 77, version), body).encode()
                mine, theirs = Firmware(wire).answer(message), python_server().answer(message)
                assert mine is not None and theirs is not None
                if "rsn" not in SmpMessage.decode(theirs).body:
                    assert mine == theirs
