"""The SMP server answers like an mcumgr server, judged by smpclient's own message classes, and survives any bytes."""

import hashlib
import os
import select
from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest
from examples import few
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from smp import error as smp_error
from smp import header as smp_header
from smp.image_management import (
    IMG_MGMT_ERR,
    ImageEraseRequest,
    ImageEraseResponse,
    ImageManagementErrorV2,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageUploadWriteRequest,
)
from smp.os_management import (
    OS_MGMT_RET_RC,
    BootloaderInformationReadRequest,
    BootloaderInformationReadResponse,
    EchoWriteRequest,
    EchoWriteResponse,
    MCUbootMode,
    MCUbootModeQueryResponse,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
    OSApplicationInfoReadRequest,
    OSApplicationInfoReadResponse,
    OSManagementErrorV1,
    OSManagementErrorV2,
    ResetWriteRequest,
    ResetWriteResponse,
)

from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.smp import Op, ReturnCode, SmpHeader, SmpMessage, encode_packets
from thermo_device.image_group import image_commands
from thermo_device.slots import Slots
from thermo_device.smp_server import BUFFER_SIZE, Application, Body, Commands, SmpServer, os_commands
from thermo_sim.wearable import Wearable, WearableOptions

SENTINEL = SmpMessage(SmpHeader(Op.WRITE, 0, 0, sequence=201), {"d": "sentinel"}).encode()
SENTINEL_ANSWER = SmpMessage(SmpHeader(Op.WRITE_RESPONSE, 0, 0, sequence=201), {"r": "sentinel"}).encode()
APPLICATION = Application("patch-7", "0.1.0", "test bench", "breast-patch")


def make_server(directory: Path, commands: Commands | None = None, resets: list[int] | None = None) -> SmpServer:
    """A server of the standard groups, and of more commands where given."""
    counted = resets if resets is not None else []
    groups = {
        **os_commands(lambda: APPLICATION, lambda: counted.append(1)),
        **image_commands(Slots(directory, (), capacity=65536)),
        **(commands or {}),
    }
    return SmpServer(groups, lambda: 1234)


@pytest.fixture
def server(tmp_path: Path) -> SmpServer:
    return make_server(tmp_path)


def ask(server: SmpServer, message: bytes) -> bytes:
    answer = server.answer(message)
    assert answer is not None
    asked, told = smp_header.Header.loads(message[:8]), smp_header.Header.loads(answer[:8])
    assert (told.sequence, told.group_id, told.command_id) == (asked.sequence, asked.group_id, asked.command_id)
    assert (told.op, told.version) == (asked.op + 1, asked.version)
    assert len(answer) == 8 + told.length
    return answer


def test_os_group_speaks_as_the_reference_client_expects(server: SmpServer) -> None:
    echoed = EchoWriteResponse.loads(ask(server, EchoWriteRequest(d="grüß dich").BYTES))
    assert echoed.r == "grüß dich"
    parameters = MCUMgrParametersReadResponse.loads(ask(server, MCUMgrParametersReadRequest().BYTES))
    assert parameters.buf_size == BUFFER_SIZE >= 4096
    information = OSApplicationInfoReadResponse.loads(ask(server, OSApplicationInfoReadRequest().BYTES))
    assert information.output == "thermo-edge"
    selected = OSApplicationInfoReadResponse.loads(ask(server, OSApplicationInfoReadRequest(format="iv").BYTES))
    assert selected.output == "0.1.0 breast-patch"
    loader = BootloaderInformationReadResponse.loads(ask(server, BootloaderInformationReadRequest().BYTES))
    assert loader.bootloader == "MCUboot" and loader.response is None
    mode = BootloaderInformationReadResponse.loads(ask(server, BootloaderInformationReadRequest(query="mode").BYTES))
    assert MCUbootModeQueryResponse.model_validate(mode.response).mode is MCUbootMode.SWAP_WITHOUT_SCRATCH


def test_os_refusals_carry_the_codes_of_the_protocol(server: SmpServer) -> None:
    wrong = OSManagementErrorV2.loads(ask(server, OSApplicationInfoReadRequest(format="sq").BYTES))
    assert wrong.err.rc == OS_MGMT_RET_RC.INVALID_FORMAT
    unknown = OSManagementErrorV2.loads(ask(server, BootloaderInformationReadRequest(query="moon").BYTES))
    assert unknown.err.rc == OS_MGMT_RET_RC.QUERY_YIELDS_NO_ANSWER
    assert "moon" in server.refusal.reason and server.refusal.time_us == 1234
    old = BootloaderInformationReadRequest(query="moon", version=smp_header.Version.V1)
    assert OSManagementErrorV1.loads(ask(server, old.BYTES)).rc == smp_error.MGMT_ERR.ENOENT


def test_reset_is_answered_before_it_happens(tmp_path: Path) -> None:
    resets: list[int] = []
    server = make_server(tmp_path, resets=resets)
    ResetWriteResponse.loads(ask(server, ResetWriteRequest().BYTES))
    assert resets == [1]


@pytest.mark.parametrize(
    ("group", "command", "op"),
    [
        (0, 1, Op.WRITE),
        (0, 200, Op.READ),
        (1, 3, Op.WRITE),
        (9, 0, Op.WRITE),
        (64, 1, Op.READ),
        (65535, 255, Op.READ),
        (1, 1, Op.READ),
    ],
)
@pytest.mark.parametrize("version", [0, 1])
def test_what_is_not_there_is_not_supported(server: SmpServer, group: int, command: int, op: Op, version: int) -> None:
    request = SmpMessage(SmpHeader(op, group, command, sequence=77, version=version), {"x": 1})
    answer = SmpMessage.decode(server.answer(request.encode()) or b"")
    assert answer.header == SmpHeader(Op(op + 1), group, command, sequence=77, version=version)
    assert answer.error == (None, ReturnCode.NOT_SUPPORTED)


@pytest.mark.parametrize(
    "body", [b"\xff", b"\x81\x01", b"\xa1\x01\x02", b"\xa1\x61d", cbor2.dumps({"d": 7}), cbor2.dumps({}), b"\xa1ad\xf6"]
)
def test_malformed_bodies_are_invalid(server: SmpServer, body: bytes) -> None:
    header = bytes([2 | 1 << 3, 0, 0, len(body), 0, 0, 9, 0])
    answer = OSManagementErrorV1.loads(ask(server, header + body))
    assert answer.rc == smp_error.MGMT_ERR.EINVAL and answer.rsn


def test_a_newer_protocol_is_told_so(server: SmpServer) -> None:
    answer = server.answer(bytes([2 | 2 << 3, 0, 0, 1, 0, 0, 9, 0, 0xA0]))
    assert answer is not None and cbor2.loads(answer[8:])["rc"] == ReturnCode.TOO_NEW


def test_answers_and_fragments_get_no_answer(server: SmpServer) -> None:
    request = EchoWriteRequest(d="x").BYTES
    answer = ask(server, request)
    assert server.answer(answer) is None
    assert [server.answer(request[:length]) for length in range(8)] == [None] * 8


def test_an_internal_fault_is_answered_and_the_server_goes_on(tmp_path: Path) -> None:
    def broken(body: Body) -> Body:
        raise ZeroDivisionError

    def full(body: Body) -> Body:
        raise OSError(28, "No space left on device")

    def endless(body: Body) -> Body:
        return {"data": bytes(70_000)}

    server = make_server(tmp_path, {(65, 0, Op.READ): broken, (65, 1, Op.READ): full, (65, 2, Op.READ): endless})
    codes = []
    for command in range(3):
        request = SmpMessage(SmpHeader(Op.READ, 65, command)).encode()
        codes.append((SmpMessage.decode(server.answer(request) or b"").error or (None, 0))[1])
    assert codes == [ReturnCode.UNKNOWN, ReturnCode.NO_MEMORY, ReturnCode.TOO_LARGE]
    EchoWriteResponse.loads(ask(server, EchoWriteRequest(d="still here").BYTES))


def test_image_group_refuses_in_mcumgrs_codes(server: SmpServer) -> None:
    assert ImageStatesReadResponse.loads(ask(server, ImageStatesReadRequest().BYTES)).images == []

    def refused(message: bytes) -> IMG_MGMT_ERR:
        code = ImageManagementErrorV2.loads(ask(server, message)).err.rc
        assert server.refusal.reason.endswith(".")
        return IMG_MGMT_ERR(code)

    assert refused(ImageStatesWriteRequest(hash=bytes(32)).BYTES) == IMG_MGMT_ERR.NO_IMAGE
    assert refused(ImageStatesWriteRequest(confirm=True).BYTES) == IMG_MGMT_ERR.NO_IMAGE
    assert refused(ImageStatesWriteRequest().BYTES) == IMG_MGMT_ERR.INVALID_HASH
    assert refused(ImageEraseRequest(slot=0).BYTES) == IMG_MGMT_ERR.INVALID_SLOT
    ImageEraseResponse.loads(ask(server, ImageEraseRequest(slot=1).BYTES))
    ImageEraseResponse.loads(ask(server, ImageEraseRequest().BYTES))
    large = ImageUploadWriteRequest(off=0, data=bytes(64), len=1 << 20, image=0)
    assert refused(large.BYTES) == IMG_MGMT_ERR.INVALID_IMAGE_TOO_LARGE
    assert refused(ImageUploadWriteRequest(off=5, data=b"x").BYTES) == IMG_MGMT_ERR.INVALID_OFFSET
    noise = bytes(range(256))
    alien = ImageUploadWriteRequest(off=0, data=noise, len=256, sha=hashlib.sha256(noise).digest(), image=0)
    assert refused(alien.BYTES) == IMG_MGMT_ERR.INVALID_IMAGE_HEADER


def bodies() -> st.SearchStrategy[object]:
    """CBOR values, keys that mean something among them."""
    keys = st.sampled_from(
        ["d", "off", "data", "len", "sha", "image", "hash", "confirm", "slot", "op", "lease_ms", "format"]
    )
    leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8) | st.binary(max_size=80)
    values = leaves | st.lists(leaves, max_size=2) | st.dictionaries(keys, leaves, max_size=2)
    return st.dictionaries(keys, values, max_size=4) | values


def messages() -> st.SearchStrategy[bytes]:
    """SMP messages from nearly right to noise."""

    def build(first: int, group: int, command: int, body: object, lie: int, cut: int) -> bytes:
        data = cbor2.dumps(body)
        length = (len(data) + lie) % 65536
        message = bytes([first, 0]) + length.to_bytes(2, "big") + group.to_bytes(2, "big") + bytes([5, command]) + data
        return message[: len(message) - cut]

    nearly = st.builds(
        build,
        st.sampled_from([0, 2, 8, 10]) | st.integers(0, 255),
        st.sampled_from([0, 1, 65]) | st.integers(0, 65535),
        st.integers(0, 9) | st.integers(0, 255),
        bodies(),
        st.just(0) | st.integers(-3, 3),
        st.just(0) | st.integers(0, 12),
    )
    return nearly | st.binary(max_size=64)


class FuzzedAgent:
    """A whole agent on simulated sensors, asked over its serial line."""

    def __init__(self, link: Path) -> None:
        self._descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY)
        self._demultiplexer = Demultiplexer()

    def check(self, batch: list[bytes]) -> None:
        """No crash, and silence only where a message is no request: the echo behind them is answered either way."""
        os.write(self._descriptor, b"".join(encode_packets(message) for message in [*batch, SENTINEL]))
        answers: list[bytes] = []
        while not answers or answers[-1] != SENTINEL_ANSWER:
            assert select.select([self._descriptor], [], [], 30.0)[0], "the agent fell silent"
            frames = self._demultiplexer.feed(os.read(self._descriptor, 65536))
            answers += [frame.message for frame in frames if isinstance(frame, ManagementFrame)]
        requests = [message for message in batch if len(message) >= 8 and message[0] & 7 in (Op.READ, Op.WRITE)]
        assert [answer[4:8] for answer in answers[:-1]] == [request[4:8] for request in requests]
        for answer in answers:
            SmpMessage.decode(answer)

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzedAgent]:
    link = tmp_path_factory.mktemp("fuzzed") / "thermo"
    with Wearable(WearableOptions(link, speed=None, warm_up=False)):
        agent = FuzzedAgent(link)
        yield agent
        agent.close()


def quick(message: bytes) -> bytes:
    """The message, but none that asks for what takes long: reset and self-test have tests of their own."""
    takes_long = message[4:6] + message[7:8] in (b"\x00\x00\x05", b"\x00\x41\x05")
    return message[:7] + b"\x09" + message[8:] if takes_long else message


@few(150, of=1000, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(messages().map(quick), min_size=10, max_size=10))
def test_random_messages(fuzzed: FuzzedAgent, batch: list[bytes]) -> None:
    fuzzed.check(batch)
