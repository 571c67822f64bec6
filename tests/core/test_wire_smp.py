"""SMP messages against the smp package, in both versions of the protocol, and against arbitrary bytes."""

from typing import Any

import cbor2
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from smp import error as smp_error
from smp import header as smp_header
from smp import image_management, os_management

from thermo_core.errors import ManagementError
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage

VERSIONS = st.sampled_from([0, 1])
BYTE = st.integers(0, 255)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=10)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
BODIES = st.dictionaries(st.text(max_size=8), PLAIN, max_size=5)


@given(st.sampled_from(Op), VERSIONS, st.integers(64, 0xFFFF), BYTE, BYTE, BODIES)
def test_messages_round_trip_and_their_header_equals_the_smp_packages(
    op: Op, version: int, group: int, command: int, sequence: int, body: dict[str, Any]
) -> None:
    message = SmpMessage(SmpHeader(op, group, command, sequence, version), body)
    data = message.encode()
    theirs = smp_header.Header.loads(data[:8])
    assert (theirs.op, theirs.version, theirs.group_id) == (op, version, group)
    assert (theirs.command_id, theirs.sequence, theirs.length) == (command, sequence, len(data) - 8)
    assert data[:8] == theirs.BYTES
    assert cbor2.loads(data[8:]) == body
    assert SmpMessage.decode(data) == message


@pytest.mark.parametrize("version", list(smp_header.Version))
def test_requests_of_the_smp_package_are_read_and_made_alike(version: smp_header.Version) -> None:
    requests: list[tuple[bytes, dict[str, Any]]] = [
        (os_management.EchoWriteRequest(version=version, sequence=7, d="hello").BYTES, {"d": "hello"}),
        (os_management.ResetWriteRequest(version=version, sequence=8).BYTES, {}),
        (
            image_management.ImageUploadWriteRequest(version=version, sequence=9, off=4, data=b"\x00\xff").BYTES,
            {"off": 4, "data": b"\x00\xff"},
        ),
    ]
    for data, body in requests:
        message = SmpMessage.decode(data)
        assert message.header.version == version
        assert message.header.is_request
        assert dict(message.body) == body
        assert message.encode() == data


def test_an_answer_is_what_the_smp_package_expects() -> None:
    request = SmpMessage.decode(os_management.EchoWriteRequest(sequence=200, d="x").BYTES)
    answer = os_management.EchoWriteResponse.loads(request.respond({"r": "x"}).encode())
    assert (answer.r, answer.sequence) == ("x", 200)


def test_refusals_are_what_the_smp_package_expects() -> None:
    old = SmpMessage(SmpHeader(Op.WRITE, Group.THERMO, 7, 3, version=0), {})
    new = SmpMessage(SmpHeader(Op.WRITE, Group.THERMO, 7, 3, version=1), {})

    class ThermoErrorV1(smp_error.ErrorV1):
        _GROUP_ID = 65
        _COMMAND_ID = 7
        _OP = smp_header.OP.WRITE_RSP

    class ThermoErrorV2(smp_error.ErrorV2[smp_error.MGMT_ERR]):
        _GROUP_ID = 65
        _COMMAND_ID = 7
        _OP = smp_header.OP.WRITE_RSP

    for request in (old, new):
        refused = request.refuse(ReturnCode.INVALID)
        assert ThermoErrorV1.loads(refused.encode()).rc == smp_error.MGMT_ERR.EINVAL
        assert refused.error == (None, ReturnCode.INVALID)
    ours = new.refuse(7, Group.THERMO)
    read = ThermoErrorV2.loads(ours.encode())
    assert (read.err.group, read.err.rc) == (65, 7)
    assert ours.error == (65, 7)
    fallback = old.refuse(7, Group.THERMO, version_1=ReturnCode.BUSY)
    assert ThermoErrorV1.loads(fallback.encode()).rc == smp_error.MGMT_ERR.EBUSY


@pytest.mark.parametrize("body", [{}, {"rc": 0}, {"err": {"group": 65, "rc": 0}}, {"err": 3}, {"err": {}}, {"rc": "x"}])
def test_success_is_no_error(body: dict[str, Any]) -> None:
    assert SmpMessage(SmpHeader(Op.READ_RESPONSE, 65, 0), body).error is None


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (bytes(7), "7 bytes is shorter"),
        (bytes.fromhex("0400000000410000"), "operation 4"),
        (bytes.fromhex("1000000000410000"), "SMP version 3"),
        (bytes.fromhex("0a00000500410000"), "announces 5 bytes of body, 0 came"),
        (bytes.fromhex("0a00000100410000") + b"\x01", "must be a CBOR map"),
        (bytes.fromhex("0a00000100410000") + b"\xff", "not CBOR"),
        (bytes.fromhex("0a00000300410000") + b"\xa1\x01\x02", "keys must be text"),
        (bytes.fromhex("0a00000600410000") + b"\xa1\x61a\xc1\x00\x00", "datetime"),
        (bytes.fromhex("0a00000500410000") + b"\xa2\x60\x01\x60\x02", "not CBOR"),
        (bytes.fromhex("0a00000900410000") + b"\xa1\x61a\xd8\x1c\x81\xd8\x1d\x00", "nests deeper"),
        (bytes.fromhex("0a00002300410000") + b"\xa1\x61a" + b"\x81" * 31 + b"\x01", "not CBOR"),
    ],
)
def test_an_impossible_message_is_refused_with_the_reason(message: bytes, says: str) -> None:
    with pytest.raises(ManagementError, match=says):
        SmpMessage.decode(message)


@pytest.mark.parametrize("body", [{"a": object()}, {"a": bytes(70_000)}])
def test_a_body_that_cannot_be_sent_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ManagementError):
        SmpMessage(SmpHeader(Op.READ, 65, 0), body).encode()


@few(500, of=2_000)
@given(st.binary(max_size=80), st.booleans())
def test_arbitrary_bytes_give_a_message_or_a_typed_error(data: bytes, header: bool) -> None:
    if header:
        data = SmpMessage(SmpHeader(Op.WRITE, 65, 1), {}).encode()[:2] + len(data).to_bytes(2, "big") + bytes(4) + data
    try:
        message = SmpMessage.decode(data)
    except ManagementError:
        return
    assert SmpMessage.decode(message.encode()).header == message.header
