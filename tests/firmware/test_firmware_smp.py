"""The firmware's commands as a host asks them: answers that core and the reference client read, whatever is asked."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from bundles import IMAGE
from firmware_wearable import FirmwareWearable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smp import error as smp_error
from smp import header as smp_header
from smp.image_management import (
    ImageEraseRequest,
    ImageManagementErrorV1,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageUploadWriteRequest,
)
from smp.os_management import (
    BootloaderInformationReadRequest,
    BootloaderInformationReadResponse,
    EchoWriteRequest,
    EchoWriteResponse,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
)

from thermo_core.image import parse
from thermo_core.wire.management import Counters, StreamAnswer
from thermo_core.wire.management import read as message
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command, GroupError

BUFFER = 2048 + 64
PAGE = Path(__file__).resolve().parents[2] / "docs" / "wire.md"
Make = Callable[..., FirmwareWearable]


def ask(
    wearable: FirmwareWearable, op: Op, command: int, body: dict[str, Any], group: int = Group.THERMO, version: int = 1
) -> SmpMessage:
    answer = wearable.answer(SmpMessage(SmpHeader(op, group, command, 9, version), body).encode())
    assert answer is not None
    return SmpMessage.decode(answer)


def reason(wearable: FirmwareWearable) -> str:
    """Why the last request was refused."""
    return str(ask(wearable, Op.READ, Command.REFUSAL, {}).body["reason"])


KEYS = [
    "d",
    "off",
    "len",
    "data",
    "sensor",
    "slot",
    "op",
    "lease_ms",
    "key_interval",
    "format",
    "rate_hz",
    "signals",
    "values",
    "person",
    "alert",
]
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
        "sensor": st.integers(0, 1),
        "slot": st.integers(0, 1),
        "op": st.integers(0, 2),
        "lease_ms": st.integers(0, 20000),
        "key_interval": st.none() | st.integers(1, 65535),
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
    st.integers(0, 13) | st.integers(0, 255),
    BODIES,
    st.just(0) | st.integers(-3, 3),
    st.just(0) | st.integers(0, 12),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESSAGES, min_size=1, max_size=6))
def test_whatever_is_asked_has_an_answer_of_its_own(make: Make, messages: list[bytes]) -> None:
    wearable = make()
    for sent in messages:
        answer = wearable.answer(sent, 0.4)
        if answer is not None:
            assert answer[0] & 7 == (sent[0] & 7) + 1 and answer[4:8] == sent[4:8]
            assert len(answer) == 8 + int.from_bytes(answer[2:4], "big")
            assert isinstance(cbor2.loads(answer[8:]), dict)
    assert EchoWriteResponse.loads(wearable.answer(EchoWriteRequest(d="here").BYTES) or b"").r == "here"


def test_messages_on_the_page_are_answered(make: Make) -> None:
    found = re.findall(r"^```hex ([a-z-]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    vectors = {name: bytes.fromhex(block) for name, block in found}
    wearable = make()
    answer = wearable.answer(vectors["smp-stream-start"])
    assert answer is not None and message(StreamAnswer, SmpMessage.decode(answer).body).lease_ms == 3000
    theirs = SmpMessage.decode(vectors["smp-stream-answer"])
    assert SmpMessage.decode(answer).body.keys() == theirs.body.keys()
    hello = wearable.answer(vectors["smp-hello-request"])
    assert hello is not None and SmpMessage.decode(hello).body["profile"] == "breast-patch"


def test_the_standard_groups_speak_as_the_reference_client_expects(make: Make) -> None:
    wearable = make()

    def answer(message: bytes) -> bytes:
        found = wearable.answer(message)
        assert found is not None
        return found

    assert EchoWriteResponse.loads(answer(EchoWriteRequest(d="grüß dich").BYTES)).r == "grüß dich"
    parameters = MCUMgrParametersReadResponse.loads(answer(MCUMgrParametersReadRequest().BYTES))
    assert (parameters.buf_size, parameters.buf_count) == (BUFFER, 1)
    loader = BootloaderInformationReadResponse.loads(answer(BootloaderInformationReadRequest().BYTES))
    assert loader.bootloader == "none"
    shipped = parse(IMAGE.read_bytes())
    (image,) = ImageStatesReadResponse.loads(answer(ImageStatesReadRequest().BYTES)).images
    assert (image.version, image.hash, image.slot) == (str(shipped.version), shipped.sha256, 0)
    assert image.active and image.confirmed and image.bootable and not image.pending
    for confirm in (
        ImageStatesWriteRequest(confirm=True),
        ImageStatesWriteRequest(hash=shipped.sha256, confirm=True),
    ):
        assert ImageStatesReadResponse.loads(answer(confirm.BYTES)).images == [image]
    refusals = [
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0),
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0, version=smp_header.Version.V1),
        ImageEraseRequest(),
        ImageStatesWriteRequest(hash=bytes(32)),
        ImageStatesWriteRequest(hash=shipped.sha256),
    ]
    for request in refusals:
        refused = ImageManagementErrorV1.loads(answer(request.BYTES))
        assert refused.rc == smp_error.MGMT_ERR.ENOTSUP
        assert refused.rsn is not None and "thermo-quantize firmware" in refused.rsn
    counts = message(Counters, ask(wearable, Op.READ, Command.COUNTERS, {}).body).counters
    assert counts["requests_refused"] == len(refusals)


@pytest.mark.parametrize("size", range(8))
def test_a_message_without_a_whole_header_gets_no_answer(make: Make, size: int) -> None:
    assert make().answer(EchoWriteRequest(d="x").BYTES[:size], 0.5) is None


def test_long_things_are_read_in_parts(make: Make) -> None:
    wearable = make()
    absent = ask(wearable, Op.READ, Command.CONSTANTS, {"sensor": 0})
    if "err" in absent.body:
        assert absent.error == (Group.THERMO, GroupError.NO_SENSOR)
        assert "has not answered yet; try again" in reason(wearable)
    wearable.listen(lease_ms=10_000)
    wearable.run(1.5)
    for command in (Command.CONSTANTS, Command.PROFILE):
        whole = b""
        length = 1
        while len(whole) < length:
            part = ask(wearable, Op.READ, command, {"off": len(whole)}).body
            length = part["len"]
            assert part["off"] == len(whole) and 0 < len(part["data"]) <= 1024
            whole += part["data"]
        odd = ask(wearable, Op.READ, command, {"off": 77}).body
        assert odd["data"] == whole[77 : 77 + 1024]
        assert ask(wearable, Op.READ, command, {"off": length + 1}).error == (Group.THERMO, GroupError.BAD_OFFSET)


def test_the_last_refusal_can_be_read_later(make: Make) -> None:
    wearable = make()
    assert reason(wearable) == ""
    refused = ask(wearable, Op.WRITE, Command.STREAM, {"op": 2, "lease_ms": 3000}, version=0)
    assert refused.body["rc"] == ReturnCode.BAD_STATE
    assert refused.body["rsn"] == reason(wearable) == "No stream runs that could be renewed; start one."
    assert ask(wearable, Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 99}).error == (None, ReturnCode.INVALID)
    assert reason(wearable) == "A lease of 99 ms is too short; ask for 100 or more."
    ask(wearable, Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": -1})
    assert reason(wearable) == (
        'The field "lease_ms" of a management message is -1; it must be a whole number from 0 to 4294967295.'
    )
    ask(wearable, Op.WRITE, Command.RATE, {})
    assert reason(wearable) == 'The field "rate_hz" of a management message is missing; it must be a number.'
    counts = message(Counters, ask(wearable, Op.READ, Command.COUNTERS, {}).body).counters
    assert counts["requests_refused"] == 4
