"""The firmware's SMP server against the Python agent's: the same requests, the same answers."""

import ctypes
import platform
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
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
    ResetWriteRequest,
    ResetWriteResponse,
)
from thermo_core.correction import Correction
from thermo_core.limits import FIRMWARE_HELLO_TEXT_BYTES, MAX_CHANNELS, MAX_LABELS

from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.wire import management
from thermo_core.wire.management import Command, GroupError, Hello, SensorInfo, StreamAnswer, StreamOp, StreamRequest
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_device import wearable_group
from thermo_device.smp_server import Application, Refusal, SmpServer, os_commands
from thermo_device.wearable_group import refusal, wearable_commands

SENSOR = bytes.fromhex("0d22d1850189")
BUFFER = 2048 + 64
NOTICE = "Informs only. Not a medical device."
LABELS = ("uniform", "warm-spot")


class Firmware:
    """The firmware's server."""

    def __init__(self, wire: Any, sensor: bytes | None = SENSOR, has_model: bool = True) -> None:
        self.wire = wire
        names = [name.encode() for name in (platform.machine(), platform.system())]
        wire.wire_restart_server(*names, sensor, has_model)

    def answer(self, message: bytes, capacity: int = BUFFER) -> bytes | None:
        """As `SmpServer.answer`; the request lies in a buffer of just its size."""
        request = ctypes.create_string_buffer(message, max(1, len(message)))
        answer = ctypes.create_string_buffer(capacity)
        size = self.wire.wire_answer(request, len(message), answer, capacity)
        return answer.raw[:size] or None

    def ask(
        self, op: Op, command: int, body: dict[str, Any], group: int = Group.THERMO, version: int = 1
    ) -> SmpMessage:
        """The answer to a request."""
        answer = self.answer(SmpMessage(SmpHeader(op, group, command, 9, version), body).encode())
        assert answer is not None
        return SmpMessage.decode(answer)

    @property
    def reason(self) -> str:
        """Why the last request was refused."""
        return str(self.ask(Op.READ, Command.REFUSAL, {}).body["reason"])

    resets = property(lambda self: self.wire.wire_seen(0))
    refusals = property(lambda self: self.wire.wire_seen(1))
    calibrations = property(lambda self: self.wire.wire_seen(2))
    lease_ms = property(lambda self: self.wire.wire_seen(3))
    key_interval = property(lambda self: self.wire.wire_seen(4))


class Bench:
    """What harness/wire.c does, for the Python server."""

    def __init__(self) -> None:
        self.leased = False
        self.server: SmpServer

    def hello(self) -> Hello:
        camera = SensorInfo(
            "mlx90640", 0, 0x33, SENSOR, 16.0, 18, True, float(np.float32(0.98)), 23.5, (), 7, 0xCAFE, "It rots."
        )
        array = SensorInfo("ads1115", 1, 0x48, b"", 1.0, 16, channels=("skin", "room"))
        return Hello(
            name="thermo-edge bench",
            serial="bench-1",
            software="0.1.0",
            platform="test bench",
            profile="breast-patch",
            model="1.2.3+4",
            time_us=1234,
            sensors=(camera, array),
            simulated=False,
            calibrated=True,
            development_key=True,
            lease_max_ms=10000,
            notice=NOTICE,
            labels=LABELS,
        )

    def stream(self, request: StreamRequest) -> StreamAnswer:
        if request.op is StreamOp.STOP:
            self.leased = False
            return StreamAnswer(0, 1234)
        if request.lease_ms < 100:
            raise Refusal("Too short.", ReturnCode.INVALID)
        if request.op is StreamOp.RENEW and not self.leased:
            raise refusal(GroupError.NO_LEASE, "None runs.")
        self.leased = True
        return StreamAnswer(min(request.lease_ms, 10000), 1234)

    def eeprom(self, sensor: int) -> tuple[bytes, int]:
        if sensor:
            raise refusal(GroupError.NO_SENSOR, "No such sensor.")
        return (np.arange(832, dtype="<u4") * 257).astype("<u2").tobytes(), 7

    def calibration(self, slot: int) -> bytes:
        return b""

    def write_calibration(self, data: bytes) -> None:
        raise AssertionError("tests of their own write calibrations")

    def roll_back_calibration(self) -> None:
        raise refusal(GroupError.NO_CALIBRATION, "There is none.")

    def self_test(self) -> management.SelfTest:
        results = (("EEPROM", True, "Two reads agree."), ("supply", False, "2.90 V; 3 to 3.6 is in order."))
        return management.SelfTest(tuple(management.SelfTestResult(*result) for result in results))

    def counts(self) -> management.Counters:
        return management.Counters({"telemetry_dropped": 0})

    def set_rate(self, rate_hz: float) -> float:
        if not 0.5 <= rate_hz <= 64:
            raise refusal(GroupError.BAD_RATE, "No such rate.")
        return 16.0

    def profile(self) -> bytes:
        return bytes(i % 251 for i in range(2500))

    def refusal(self) -> management.Refusal:
        return self.server.refusal


def python_server() -> SmpServer:
    """The Python agent's server on the bench."""
    bench = Bench()
    application = Application("patch-7", "0.1.0", "test bench", "breast-patch")
    commands = {**os_commands(lambda: application, lambda: None), **wearable_commands(bench)}
    bench.server = SmpServer(commands, lambda: 1234)
    return bench.server


def same_but_for_sentences(mine: bytes, theirs: bytes) -> bool:
    """Equal answers; where both give a reason, each in its own words."""
    if mine == theirs:
        return True
    first, second = SmpMessage.decode(mine), SmpMessage.decode(theirs)
    bodies = [
        {key: bool(value) if key in ("rsn", "reason") else value for key, value in m.body.items()}
        for m in (first, second)
    ]
    return first.header == second.header and bodies[0] == bodies[1]


KEYS = ["d", "off", "sensor", "slot", "op", "lease_ms", "key_interval", "format", "rate_hz"]
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
    st.integers(0, 9) | st.integers(0, 255),
    BODIES,
    st.just(0) | st.integers(-3, 3),
    st.just(0) | st.integers(0, 12),
)


def differs_on_purpose(message: bytes) -> bool:
    """Buffer size, bootloader, images, and calibrations, which have tests of their own."""
    group, command = int.from_bytes(message[4:6], "big"), message[7] if len(message) > 7 else 0
    return group == 1 or (group, command) in ((0, 6), (0, 8)) or (group, command, message[0] & 7) == (65, 3, 2)


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
            if (command, op) != (Command.CALIBRATION, Op.WRITE):
                message = SmpMessage(SmpHeader(op, Group.THERMO, command, 77, version), body).encode()
                mine, theirs = Firmware(wire).answer(message), python_server().answer(message)
                assert mine is not None and theirs is not None
                if "rsn" not in SmpMessage.decode(theirs).body:
                    assert mine == theirs


def test_hello_is_read_by_core(wire: Any) -> None:
    assert Hello.from_map(Firmware(wire).ask(Op.READ, Command.HELLO, {}).body) == Bench().hello()


def test_the_longest_texts_of_a_profile_fit_hello(wire: Any) -> None:
    """`thermo-quantize firmware` takes 1,024 bytes of them (`limits.FIRMWARE_HELLO_TEXT_BYTES`), and all 64 labels."""
    firmware = Firmware(wire)
    wire.wire_long_texts(ctypes.c_size_t(FIRMWARE_HELLO_TEXT_BYTES))
    hello = Hello.from_map(firmware.ask(Op.READ, Command.HELLO, {}).body)
    channels = [name for sensor in hello.sensors for name in sensor.channels]
    texts = (hello.profile, hello.notice, *hello.labels, *channels, *hello.waived)
    assert sum(map(len, texts)) == FIRMWARE_HELLO_TEXT_BYTES
    assert (len(hello.labels), len(channels), len(hello.waived)) == (MAX_LABELS, MAX_CHANNELS, 1)
    bare = Hello.from_map(Firmware(wire, sensor=None, has_model=False).ask(Op.READ, Command.HELLO, {}).body)
    assert (bare.model, bare.labels, bare.sensors[0].id) == ("", (), b"")


def test_messages_on_the_page_are_answered(wire: Any) -> None:
    firmware = Firmware(wire)
    start = "0a0000200041 0801 a3626f7001686c656173655f6d73190bb86c6b65795f696e74657276616c1840"
    answer = firmware.answer(bytes.fromhex(start.replace(" ", "")))
    assert answer is not None and SmpMessage.decode(answer).body == {"lease_ms": 3000, "time_us": 1234}
    assert (firmware.lease_ms, firmware.key_interval) == (3000, 64)
    refused = firmware.answer(bytes.fromhex("0a00000100410904a0"))
    assert refused == bytes.fromhex("0b00001200410904a163657272a262726303656772 6f7570 1841".replace(" ", ""))


def test_the_standard_groups_speak_as_the_reference_client_expects(wire: Any) -> None:
    firmware = Firmware(wire)

    def ask(message: bytes) -> bytes:
        answer = firmware.answer(message)
        assert answer is not None
        return answer

    assert EchoWriteResponse.loads(ask(EchoWriteRequest(d="grüß dich").BYTES)).r == "grüß dich"
    parameters = MCUMgrParametersReadResponse.loads(ask(MCUMgrParametersReadRequest().BYTES))
    assert (parameters.buf_size, parameters.buf_count) == (BUFFER, 1)
    loader = BootloaderInformationReadResponse.loads(ask(BootloaderInformationReadRequest().BYTES))
    assert loader.bootloader == "none"
    ResetWriteResponse.loads(ask(ResetWriteRequest().BYTES))
    assert firmware.resets == 1
    (image,) = ImageStatesReadResponse.loads(ask(ImageStatesReadRequest().BYTES)).images
    assert (image.version, image.hash, image.slot) == ("1.2.3+4", bytes(range(32)), 0)
    assert image.active and image.confirmed and image.bootable and not image.pending
    for confirm in (
        ImageStatesWriteRequest(confirm=True),
        ImageStatesWriteRequest(hash=bytes(range(32)), confirm=True),
    ):
        assert ImageStatesReadResponse.loads(ask(confirm.BYTES)).images == [image]
    refusals = [
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0),
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0, version=smp_header.Version.V1),
        ImageEraseRequest(),
        ImageStatesWriteRequest(hash=bytes(32)),
        ImageStatesWriteRequest(hash=bytes(range(32))),
    ]
    for request in refusals:
        refused = ImageManagementErrorV1.loads(ask(request.BYTES))
        assert refused.rc == smp_error.MGMT_ERR.ENOTSUP
        assert refused.rsn is not None and "thermo-quantize firmware" in refused.rsn
    assert firmware.refusals == len(refusals)
    assert Firmware(wire, has_model=False).ask(Op.READ, 0, {}, Group.IMAGE).body == {"images": []}


@pytest.mark.parametrize("size", range(8))
def test_a_message_without_a_whole_header_gets_no_answer(wire: Any, size: int) -> None:
    assert Firmware(wire).answer(EchoWriteRequest(d="x").BYTES[:size]) is None


def test_an_answer_that_does_not_fit_is_too_large(wire: Any) -> None:
    firmware = Firmware(wire)
    request = SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.EEPROM), {}).encode()
    answer = firmware.answer(request, 500)
    assert answer is not None and SmpMessage.decode(answer).body == {"rc": ReturnCode.TOO_LARGE}
    assert firmware.answer(request, 10) is None
    assert firmware.answer(request) is not None


def test_long_things_are_read_in_parts(wire: Any) -> None:
    firmware = Firmware(wire)
    for command, whole in ((Command.EEPROM, Bench().eeprom(0)[0]), (Command.PROFILE, Bench().profile())):
        read = b""
        while len(read) < len(whole):
            part = management.Chunk.from_map(firmware.ask(Op.READ, command, {"off": len(read)}).body)
            assert (part.offset, part.length) == (len(read), len(whole)) and 0 < len(part.data) <= 1024
            read += part.data
        assert read == whole
        odd = management.Chunk.from_map(firmware.ask(Op.READ, command, {"off": 77}).body)
        assert odd.data == whole[77 : 77 + 1024]
    absent = Firmware(wire, sensor=None)
    assert absent.ask(Op.READ, Command.EEPROM, {}).error == (Group.THERMO, GroupError.NO_SENSOR)
    assert absent.reason == "The picture sensor is not there. It has not answered yet; try again."


def test_counters_are_told_by_name(wire: Any) -> None:
    firmware = Firmware(wire)
    wire.wire_count(0, 3)
    wire.wire_count(0, 2**32 - 2)
    counters = management.Counters.from_map(firmware.ask(Op.READ, Command.COUNTERS, {}).body).counters
    assert counters == {"bus_nack": 2**32 - 1, "telemetry_dropped": 0}


def test_the_last_refusal_can_be_read_later(wire: Any) -> None:
    firmware = Firmware(wire)
    assert firmware.reason == ""
    refused = firmware.ask(Op.WRITE, Command.STREAM, {"op": 2, "lease_ms": 3000}, version=0)
    assert refused.body["rc"] == ReturnCode.BAD_STATE
    assert refused.body["rsn"] == firmware.reason == "No stream runs that could be renewed; start one."
    assert firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 99}).error == (None, ReturnCode.INVALID)
    assert firmware.reason == "A lease of 99 ms is too short; ask for 100 or more."
    firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": -1})
    assert firmware.reason == (
        'The field "lease_ms" of a management message is -1; it must be a whole number from 0 to 4294967295.'
    )
    firmware.ask(Op.WRITE, Command.RATE, {})
    assert firmware.reason == 'The field "rate_hz" of a management message is missing; it must be a number.'
    assert firmware.refusals == 4


# Calibrations over the line.


def calibration(seed: int, sensor: bytes = SENSOR) -> Correction:
    """One that differs by its seed."""
    rng = np.random.default_rng(seed)
    offset = rng.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    return replace(Correction.identity(sensor), offset=offset, created_unix_s=seed)


def write_parts(firmware: Firmware, data: bytes, size: int) -> SmpMessage:
    """Write a calibration; the last answer, or the first refusal."""
    for at in range(0, len(data), size):
        part = data[at : at + size]
        answer = firmware.ask(Op.WRITE, Command.CALIBRATION, {"off": at, "len": len(data), "data": part})
        if answer.error is not None:
            return answer
        assert answer.body == {"off": at + len(part)}
    return answer


def read_slot(firmware: Firmware, slot: int) -> bytes:
    """A stored calibration."""
    read, length = b"", 1
    while len(read) < length:
        part = management.Chunk.from_map(
            firmware.ask(Op.READ, Command.CALIBRATION, {"off": len(read), "slot": slot}).body
        )
        read, length = read + part.data, part.length
    return read


@pytest.mark.parametrize("size", [1000, 384, 1024, 7])
def test_a_calibration_written_in_parts_is_used_and_rolled_back(wire: Any, size: int) -> None:
    firmware = Firmware(wire)
    first, second = calibration(1).to_bytes(), calibration(2).to_bytes()
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [b"", b""]
    assert write_parts(firmware, first, size).error is None
    assert firmware.calibrations == 1
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [first, b""]
    assert write_parts(firmware, second, size).error is None
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [second, first]
    for swapped in ([first, second], [second, first]):
        assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).body == {}
        assert [read_slot(firmware, slot) for slot in (0, 1)] == swapped
    assert firmware.calibrations == 4


def refused_with(firmware: Firmware, answer: SmpMessage, code: GroupError, sentence: str) -> None:
    assert answer.error == (Group.THERMO, code)
    assert sentence in firmware.reason
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [calibration(1).to_bytes(), b""]


def test_a_calibration_that_cannot_be_is_refused_and_the_stored_one_stays(wire: Any) -> None:
    firmware = Firmware(wire)
    write_parts(firmware, calibration(1).to_bytes(), 1024)
    good = calibration(2).to_bytes()
    damaged = good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]
    alien = calibration(3, bytes.fromhex("0102030405ff")).to_bytes()
    ask: Callable[[dict[str, Any]], SmpMessage] = lambda body: firmware.ask(Op.WRITE, Command.CALIBRATION, body)  # noqa: E731
    refused_with(firmware, write_parts(firmware, damaged, 1024), GroupError.DAMAGED, "is damaged")
    refused_with(
        firmware,
        write_parts(firmware, alien, 1024),
        GroupError.WRONG_SENSOR,
        "The calibration is of sensor 0102030405ff and this one is 0d22d1850189",
    )
    for length in (0, 9347, 9733, 1 << 20):
        empty = {"off": 0, "len": length, "data": b""}
        refused_with(firmware, ask(empty), GroupError.DAMAGED, f"A calibration of {length} bytes")
    refused_with(firmware, ask({"off": 8, "len": 9440, "data": b"x"}), GroupError.BAD_OFFSET, "where 0 of 0 was next")
    assert ask({"off": 0, "len": len(good), "data": good[:100]}).body == {"off": 100}
    for off in (99, 101, 200):
        answer = ask({"off": off, "len": len(good), "data": b"x"})
        refused_with(firmware, answer, GroupError.BAD_OFFSET, f"A part at {off} of {len(good)} came where 100 of")
    assert ask({"off": 100, "len": len(good), "data": bytes(len(good) - 99)}).error == (None, ReturnCode.INVALID)
    assert "reaches beyond its whole" in firmware.reason
    assert ask({"off": 100, "len": len(good), "data": good[100:200]}).body == {"off": 200}
    assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).error == (Group.THERMO, GroupError.NO_CALIBRATION)
    assert firmware.calibrations == 1
    assert write_parts(firmware, good, 1024).error is None
    assert read_slot(firmware, 0) == good


def test_no_calibration_is_taken_where_the_sensor_is_not_known(wire: Any) -> None:
    firmware = Firmware(wire, sensor=None)
    answer = write_parts(firmware, calibration(1).to_bytes(), 1024)
    assert answer.error == (Group.THERMO, GroupError.NO_SENSOR)
    assert read_slot(firmware, 0) == b""
