"""The firmware's SMP server against the Python agent's: the same requests, the same answers."""

import ctypes
import platform
from collections.abc import Callable
from typing import Any

import cbor2
import msgspec
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

from thermo_core.graph.alerts import AlertState
from thermo_core.sensors import correction as corrections
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.signals import Values
from thermo_core.wearable.person import FIELDS, problem
from thermo_core.wire import events, management
from thermo_core.wire.management import Hello, SensorState, StreamAnswer, StreamRequest
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command, GroupError, StreamOp
from thermo_device import wearable_group
from thermo_device.smp_server import Application, RequestRefused, SmpServer, group_refusal, os_commands
from thermo_device.wearable_group import wearable_commands
from thermo_quantize.firmware import HELLO_BYTES

SENSOR = bytes.fromhex("0d22d1850189")
BUFFER = 2048 + 64
CONSTANTS = bytes(i * 7 % 253 for i in range(1664))
SIGNALS, ALERTS = 4, 1


class Firmware:
    """The firmware's server."""

    def __init__(self, wire: Any, sensor: bytes | None = SENSOR, has_bundle: bool = True, doubted: bool = True) -> None:
        self.wire = wire
        self._names = [name.encode() for name in (platform.machine(), platform.system())]  # it points to them
        wire.wire_restart_server(*self._names, sensor, has_bundle, doubted)

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
    corrections = property(lambda self: self.wire.wire_seen(2))
    lease_ms = property(lambda self: self.wire.wire_seen(3))
    key_interval = property(lambda self: self.wire.wire_seen(4))
    trusts = property(lambda self: self.wire.wire_seen(5))
    corrected = property(lambda self: bool(self.wire.wire_seen(6)))
    fed = property(lambda self: bool(self.wire.wire_seen(7)))
    wanted = property(lambda self: self.wire.wire_seen(8))


class Bench:
    """What harness/wire.c does, for the Python server."""

    def __init__(self) -> None:
        self.leased = False
        self.known: dict[str, float] = {}
        self.server: SmpServer

    def hello(self, first: int = 0) -> Hello:
        camera = SensorState(
            kind="mlx90640",
            id=SENSOR,
            constants=7,
            rate_hz=16.0,
            warning=events.FAULTS["constants_changed"].text,
        )
        array = SensorState(
            kind="ads1115-ntc",
            rate_hz=2.0,
            fault="The thermistor ADC does not answer; check its wiring and supply.",
        )
        return Hello(
            name="thermo-edge bench",
            serial="bench-1",
            software="0.1.0",
            platform="test bench",
            profile="breast-patch",
            profile_sha256=bytes(range(255, 223, -1)),
            bundle="1.2.3+4",
            bundle_sha256=bytes(range(32)),
            time_us=1234,
            sensors=(camera, array, SensorState(kind="external", id=OWN_ID, rate_hz=1.0))[first:],
            sensor_count=3,
            simulated=False,
            development_key=True,
            lease_max_ms=10000,
        )

    def stream(self, request: StreamRequest) -> StreamAnswer:
        if request.op is StreamOp.STOP:
            self.leased = False
            return StreamAnswer(lease_ms=0, time_us=1234)
        if request.lease_ms < 100:
            raise RequestRefused("Too short.", ReturnCode.INVALID)
        if request.op is StreamOp.RENEW and not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "None runs.")
        self.leased = True
        return StreamAnswer(lease_ms=min(request.lease_ms, 10000), time_us=1234)

    def _there(self, sensor: int) -> None:
        if sensor > 2:
            raise group_refusal(GroupError.NO_SENSOR, "No such sensor.")

    def constants(self, sensor: int) -> tuple[bytes, int]:
        self._there(sensor)
        return (b"", 0) if sensor else (CONSTANTS, 7)

    def correction(self, sensor: int, slot: int) -> bytes:
        self._there(sensor)
        return b""

    def write_correction(self, sensor: int, data: bytes) -> None:
        raise AssertionError("tests of their own write corrections")

    def roll_back_correction(self, sensor: int) -> None:
        self._there(sensor)
        raise group_refusal(GroupError.NO_CORRECTION, "There is none.")

    def self_test(self, part: int | None = None) -> management.SelfTest:
        if part is not None and part > 3:
            raise group_refusal(GroupError.NO_SENSOR, "No such part.")
        results = (
            ("skin: EEPROM", True, "Two reads agree."),
            ("skin: supply", False, "2.90 V; 3 to 3.6 is in order."),
            (
                "skin: constants",
                False,
                events.FAULTS["constants_changed"].text
                + " Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is.",
            ),
        )
        return management.SelfTest(
            results=tuple(
                management.SelfTestResult(name=name, passed=passed, detail=detail)
                for name, passed, detail in results
                if not part
            )
        )

    def counts(self) -> management.Counters:
        return management.Counters(counters={"telemetry_dropped": 0})

    def set_rate(self, sensor: int, rate_hz: float) -> float:
        self._there(sensor)
        if sensor or not 0.5 <= rate_hz <= 64:
            raise group_refusal(GroupError.BAD_RATE, "No such rate.")
        return 16.0

    def profile_bytes(self) -> bytes:
        return bytes(i % 251 for i in range(2500))

    def refusal(self) -> management.Refusal:
        return self.server.refusal

    def send_signals(self, wanted: tuple[int, ...]) -> None:
        if any(number >= SIGNALS for number in wanted):
            raise group_refusal(GroupError.NO_SUCH, "No such signal.")
        if wanted and not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs.")

    def feed(self, sensor: int, values: Values) -> None:
        self._there(sensor)
        if sensor != 2:
            raise group_refusal(GroupError.NO_SENSOR, "It is a chip.")
        if not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs.")
        if values.size != 2:
            raise group_refusal(GroupError.IMPLAUSIBLE, "It has two numbers.")

    def person(self) -> dict[str, float]:
        return self.known

    def set_person(self, told: dict[str, float]) -> dict[str, float]:
        for name, value in told.items():
            if problem(name, value):
                raise group_refusal(GroupError.IMPLAUSIBLE if name in FIELDS else GroupError.NO_SUCH, "Not so.")
        self.known |= {name: float(np.float32(value)) for name, value in told.items()}
        return self.known

    def alerts(self) -> management.Alerts:
        return management.Alerts(alerts=(management.AlertState(state=int(AlertState.CLEAR), time_us=0),))

    def acknowledge(self, alert: int) -> management.Alerts:
        if alert >= ALERTS:
            raise group_refusal(GroupError.NO_SUCH, "No such alert.")
        return self.alerts()

    def kept(self, first: int, room: int) -> management.Kept:
        return management.Kept(bundle=0x03020100, first=0, end=0, data=b"")

    def baselines(self) -> management.Baselines:
        return management.Baselines(stages=())

    def forget(self, signal: int | None) -> management.Baselines:
        if signal is not None:
            raise group_refusal(GroupError.NO_SUCH, f"Signal {signal} is of no stage that learns.")
        return self.baselines()

    def learned(self, first: bool) -> bytes:
        return b""


def own_id(serial: bytes, number: int) -> bytes:
    """Identity of a chip that has none of its own: FNV-1a of the board's serial number, and of the sensor's number."""
    known = 0xCBF29CE484222325
    for byte in (*serial, number):
        known = (known ^ byte) * 0x100000001B3 % 2**64
    return known.to_bytes(8, "big")


OWN_ID = own_id(b"bench-1", 2)


def python_server() -> SmpServer:
    """The Python agent's server on the bench."""
    bench = Bench()
    application = Application("patch-7", "0.1.0", "test bench", "breast-patch")
    commands = {**os_commands(lambda: application, lambda: None), **wearable_commands(bench, lambda: bench)}
    bench.server = SmpServer(commands, lambda: 1234)
    return bench.server


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


def test_hello_is_read_by_core(wire: Any) -> None:
    assert management.read(Hello, Firmware(wire).ask(Op.READ, Command.HELLO, {}).body) == Bench().hello()


def test_what_hello_says_of_sensors(wire: Any) -> None:
    absent = management.read(Hello, Firmware(wire, sensor=None, has_bundle=False).ask(Op.READ, Command.HELLO, {}).body)
    assert (absent.bundle, absent.bundle_sha256, absent.sensors[0].id, absent.sensors[0].warning) == ("", b"", b"", "")
    trusted = management.read(Hello, Firmware(wire, doubted=False).ask(Op.READ, Command.HELLO, {}).body)
    assert [sensor.warning for sensor in trusted.sensors] == ["", "", ""]


def whole_hello(firmware: Firmware) -> Hello:
    """Hello with all sensors, asked for as often as it takes."""
    hello = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {}).body)
    sensors = list(hello.sensors)
    while len(sensors) < hello.sensor_count:
        more = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {"first": len(sensors)}).body)
        assert more.sensors
        sensors += more.sensors
    return msgspec.structs.replace(hello, sensors=tuple(sensors))


def test_hello_goes_on_from_any_sensor(wire: Any) -> None:
    firmware, all_of_it = Firmware(wire), Bench().hello()
    for first in range(5):
        hello = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {"first": first}).body)
        assert (hello.sensors, hello.sensor_count) == (all_of_it.sensors[first:], 3)


@pytest.mark.parametrize("sentences", [1, 3, 8])
def test_the_longest_texts_that_are_generated_fit_hello(wire: Any, sentences: int) -> None:
    """`thermo-quantize firmware` takes `HELLO_BYTES` of name and sentences. With these a board's long names, and the longest fault
    and warning of a sensor, fit as well; what other sensors say comes in as many answers as it needs."""
    firmware = Firmware(wire)
    size = min(512, (HELLO_BYTES - 64) // sentences)
    wire.wire_long_texts(ctypes.c_size_t(sentences), ctypes.c_size_t(size))
    hello = whole_hello(firmware)
    usual = Bench().hello().sensors
    assert (len(hello.profile), *map(len, hello.waived)) == (64, *[size] * sentences)
    assert (len(hello.name), len(hello.platform), len(hello.serial)) == (64, 64, 31)
    assert [(one.kind, one.fault) for one in hello.sensors[1:]] == [(one.kind, one.fault) for one in usual[1:]]
    assert len(hello.sensors[0].fault) > 40 < len(hello.sensors[0].warning)


def test_a_self_test_can_be_asked_for_in_parts(wire: Any) -> None:
    firmware = Firmware(wire)
    whole = firmware.ask(Op.WRITE, Command.SELF_TEST, {}).body["results"]
    parts = [firmware.ask(Op.WRITE, Command.SELF_TEST, {"part": part}).body["results"] for part in range(4)]
    assert [len(part) for part in parts] == [3, 0, 0, 0] and parts[0] == whole
    assert firmware.ask(Op.WRITE, Command.SELF_TEST, {"part": 4}).body["err"] == {
        "group": Group.THERMO,
        "rc": GroupError.NO_SENSOR,
    }


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
    assert Firmware(wire, has_bundle=False).ask(Op.READ, 0, {}, Group.IMAGE).body == {"images": []}


@pytest.mark.parametrize("size", range(8))
def test_a_message_without_a_whole_header_gets_no_answer(wire: Any, size: int) -> None:
    assert Firmware(wire).answer(EchoWriteRequest(d="x").BYTES[:size]) is None


READS = (
    (Group.OS, 6, {}),
    (Group.OS, 7, {"format": "a"}),
    (Group.OS, 8, {}),
    (Group.IMAGE, 0, {}),
    *(
        (Group.THERMO, command, {})
        for command in (
            Command.CONSTANTS,
            Command.CORRECTION,
            Command.COUNTERS,
            Command.REFUSAL,
            Command.PROFILE,
            Command.PERSON,
            Command.ALERTS,
        )
    ),
)


@pytest.mark.parametrize(("group", "command", "body"), READS, ids=lambda value: str(value))
def test_an_answer_that_does_not_fit_is_refused_and_never_cut(
    wire: Any, group: Group, command: int, body: dict[str, Any]
) -> None:
    """At every size of the room for it: the whole answer, or the one code for all that is too large, and never a part."""
    firmware = Firmware(wire)
    request = SmpMessage(SmpHeader(Op.READ, group, command), body).encode()
    whole = firmware.answer(request)
    refused = SmpMessage(SmpHeader(Op.READ_RESPONSE, group, command), {"rc": int(ReturnCode.TOO_LARGE)}).encode()
    assert whole is not None and "rc" not in SmpMessage.decode(whole).body
    seen = set()
    for room in {*range(64), *range(64, len(whole), 23), len(whole) - 1, len(whole), len(whole) + 1}:
        answer = firmware.answer(request, room)
        wanted = whole if room >= len(whole) else refused if room >= len(refused) else None
        assert answer == wanted, room
        seen.add(answer)
    assert whole in seen and (refused in seen or len(whole) <= len(refused))


def test_hello_tells_of_as_many_sensors_as_there_is_room_for(wire: Any) -> None:
    """Each answer is whole in itself and says how many there are; none is an answer without any."""
    firmware = Firmware(wire)
    request = SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.HELLO), {}).encode()
    whole = SmpMessage.decode(firmware.answer(request) or b"").body
    told = set()
    for room in range(10, BUFFER, 13):
        answer = firmware.answer(request, room)
        body = None if answer is None else SmpMessage.decode(answer).body
        if body in (None, {"rc": int(ReturnCode.TOO_LARGE)}):
            told.add(0)
            continue
        assert body is not None and body == {**whole, "sensors": body["sensors"]}
        assert body["sensors"] == whole["sensors"][: len(body["sensors"])] and body["sensor_count"] == 3
        told.add(len(body["sensors"]))
    assert told == {0, 1, 2, 3}


@pytest.mark.parametrize("size", [PART_MOST := 1024, 1025, 2500])
def test_what_is_long_is_cut_only_where_parts_are_asked_for(wire: Any, size: int) -> None:
    """Of constants and profile an answer says how long the whole is, so that a part is never taken for it."""
    firmware = Firmware(wire)
    part = management.read(management.Part, firmware.ask(Op.READ, Command.PROFILE, {"off": 2500 - size}).body)
    assert (part.len, len(part.data)) == (2500, min(size, PART_MOST))


def test_long_things_are_read_in_parts(wire: Any) -> None:
    firmware = Firmware(wire)
    for command, whole in ((Command.CONSTANTS, CONSTANTS), (Command.PROFILE, Bench().profile_bytes())):
        read = b""
        while len(read) < len(whole):
            part = management.read(management.Part, firmware.ask(Op.READ, command, {"off": len(read)}).body)
            assert (part.off, part.len) == (len(read), len(whole)) and 0 < len(part.data) <= 1024
            read += part.data
        assert read == whole
        odd = management.read(management.Part, firmware.ask(Op.READ, command, {"off": 77}).body)
        assert odd.data == whole[77 : 77 + 1024]
    absent = Firmware(wire, sensor=None)
    assert absent.ask(Op.READ, Command.CONSTANTS, {}).error == (Group.THERMO, GroupError.NO_SENSOR)
    assert absent.reason == "The sensor skin is not there. It has not answered yet; try again."


def test_counters_are_told_by_name(wire: Any) -> None:
    firmware = Firmware(wire)
    wire.wire_count(0, 3)
    wire.wire_count(0, 2**32 - 2)
    counters = management.read(management.Counters, firmware.ask(Op.READ, Command.COUNTERS, {}).body).counters
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


# Corrections over the line.


def correction(seed: int, sensor: bytes = SENSOR, crc32: int = 0xCAFE, offset_k: float = 0.0) -> bytes:
    """One that differs by its seed."""
    zero = np.zeros((ROWS, COLUMNS), np.float32)
    offset = np.random.default_rng(seed).normal(offset_k, 1, (ROWS, COLUMNS)).astype(np.float32)
    return corrections.to_bytes(PixelCorrection(offset, zero + 1, zero, zero > 0, Stamp(sensor, seed, 0.1, crc32)))


def write_parts(firmware: Firmware, data: bytes, size: int) -> SmpMessage:
    """Write a correction; the last answer, or the first refusal."""
    for at in range(0, len(data), size):
        part = data[at : at + size]
        answer = firmware.ask(Op.WRITE, Command.CORRECTION, {"off": at, "len": len(data), "data": part})
        if answer.error is not None:
            return answer
        assert answer.body == {"off": at + len(part)}
    return answer


def read_slot(firmware: Firmware, slot: int) -> bytes:
    """A stored correction."""
    read, length = b"", 1
    while len(read) < length:
        part = management.read(
            management.Part, firmware.ask(Op.READ, Command.CORRECTION, {"off": len(read), "slot": slot}).body
        )
        read, length = read + part.data, part.len
    return read


@pytest.mark.parametrize("size", [1000, 384, 1024, 7])
def test_a_correction_written_in_parts_is_used_and_rolled_back(wire: Any, size: int) -> None:
    firmware = Firmware(wire)
    first, second = correction(1), correction(2)
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [b"", b""]
    assert write_parts(firmware, first, size).error is None
    assert firmware.corrections == 1
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [first, b""]
    assert write_parts(firmware, second, size).error is None
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [second, first]
    for swapped in ([first, second], [second, first]):
        assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).body == {}
        assert [read_slot(firmware, slot) for slot in (0, 1)] == swapped
    assert firmware.corrections == 4


def refused_with(firmware: Firmware, answer: SmpMessage, code: GroupError, sentence: str) -> None:
    assert answer.error == (Group.THERMO, code)
    assert sentence in firmware.reason
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [correction(1), b""]


def test_a_correction_that_cannot_be_is_refused_and_the_stored_one_stays(wire: Any) -> None:
    firmware = Firmware(wire)
    write_parts(firmware, correction(1), 1024)
    good = correction(2)
    damaged = good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]
    alien = correction(3, bytes.fromhex("0102030405ff"))
    ask: Callable[[dict[str, Any]], SmpMessage] = lambda body: firmware.ask(Op.WRITE, Command.CORRECTION, body)  # noqa: E731
    refused_with(firmware, write_parts(firmware, damaged, 1024), GroupError.DAMAGED, "is damaged")
    refused_with(
        firmware,
        write_parts(firmware, alien, 1024),
        GroupError.WRONG_SENSOR,
        "The correction is of sensor 0102030405ff and skin is 0d22d1850189",
    )
    aged = correction(3, crc32=0xBEEF)
    refused_with(
        firmware, write_parts(firmware, aged, 1024), GroupError.WRONG_SENSOR, "the EEPROM of skin held something else"
    )
    wild = correction(3, offset_k=20.0)
    refused_with(firmware, write_parts(firmware, wild, 1024), GroupError.IMPLAUSIBLE, "moves a picture")
    curves = corrections.to_bytes(CurveCorrection((SteinhartHart(1.1e-3, 2.3e-4, 8.8e-8),), Stamp(SENSOR, 3, 0.1)))
    refused_with(firmware, write_parts(firmware, curves, 1024), GroupError.WRONG_SENSOR, "skin is of kind mlx90640")
    for length in (0, 35, len(good) + 1, 1 << 20):
        empty = {"off": 0, "len": length, "data": b""}
        refused_with(firmware, ask(empty), GroupError.DAMAGED, f"A correction of {length} bytes")
    refused_with(
        firmware, ask({"off": 8, "len": len(good), "data": b"x"}), GroupError.BAD_OFFSET, "where 0 of 0 was next"
    )
    assert ask({"off": 0, "len": len(good), "data": good[:100]}).body == {"off": 100}
    for off in (99, 101, 200):
        answer = ask({"off": off, "len": len(good), "data": b"x"})
        refused_with(firmware, answer, GroupError.BAD_OFFSET, f"A part at {off} of {len(good)} came where 100 of")
    assert ask({"off": 100, "len": len(good), "data": bytes(len(good) - 99)}).error == (None, ReturnCode.INVALID)
    assert "reaches beyond its whole" in firmware.reason
    assert ask({"off": 100, "len": len(good), "data": good[100:200]}).body == {"off": 200}
    assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).error == (Group.THERMO, GroupError.NO_CORRECTION)
    assert firmware.corrections == 1
    assert write_parts(firmware, good, 1024).error is None
    assert read_slot(firmware, 0) == good


def test_no_correction_is_taken_where_the_sensor_is_not_known(wire: Any) -> None:
    firmware = Firmware(wire, sensor=None)
    answer = write_parts(firmware, correction(1), 1024)
    assert answer.error == (Group.THERMO, GroupError.NO_SENSOR)
    assert read_slot(firmware, 0) == b""


def test_a_sensor_of_a_kind_without_corrections_takes_none(wire: Any) -> None:
    firmware = Firmware(wire)
    body = {"off": 0, "len": 100, "data": bytes(100), "sensor": 2}
    assert firmware.ask(Op.WRITE, Command.CORRECTION, body).error == (Group.THERMO, GroupError.NO_CORRECTION)
    assert firmware.reason == "room is of kind external, which is never corrected."
    answer = firmware.ask(Op.WRITE, Command.CORRECTION, {**body, "sensor": 3})
    assert answer.error == (Group.THERMO, GroupError.NO_SENSOR)


@pytest.mark.parametrize(("crc32", "vouched"), [(0xCAFE, True), (0, False)])
def test_what_was_made_with_these_very_constants_vouches_for_them(wire: Any, crc32: int, vouched: bool) -> None:
    firmware = Firmware(wire)
    assert write_parts(firmware, correction(1, crc32=crc32), 1024).error is None
    assert firmware.trusts == vouched and firmware.corrected
    skin = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {}).body).sensors[0]
    assert skin.corrected and bool(skin.warning) == (not vouched)


# The host's part: signals, samples, wearer, alerts.


def streaming(wire: Any) -> Firmware:
    firmware = Firmware(wire)
    assert firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 3000}).error is None
    return firmware


def test_signals_come_with_a_stream_and_end_with_it(wire: Any) -> None:
    firmware = streaming(wire)
    assert firmware.ask(Op.WRITE, Command.SIGNALS, {"signals": [3, 0]}).body == {"signals": [3, 0]}
    assert firmware.wanted == 2
    firmware.ask(Op.WRITE, Command.STREAM, {"op": 0})
    assert firmware.wanted == 0


def test_a_sample_from_outside_waits_for_its_turn(wire: Any) -> None:
    firmware = streaming(wire)
    body = {"sensor": 2, "values": np.array([21.5, -3], np.float32).tobytes()}
    assert firmware.ask(Op.WRITE, Command.FEED, body).body == {}
    assert firmware.fed and [wire.wire_fed(ctypes.c_size_t(place)) for place in (0, 1)] == [21.5, -3]


def test_the_wearer_is_kept(wire: Any) -> None:
    firmware = Firmware(wire)
    assert firmware.ask(Op.WRITE, Command.PERSON, {"person": {"age_years": 41}}).body == {"person": {"age_years": 41.0}}
    both = {"person": {"age_years": 41.0, "height_m": 1.75}}
    assert firmware.ask(Op.WRITE, Command.PERSON, {"person": {"height_m": 1.75}}).body == both
    refused = firmware.ask(Op.WRITE, Command.PERSON, {"person": {"age_years": 500, "height_m": 1.8}})
    assert refused.error == (Group.THERMO, GroupError.IMPLAUSIBLE) and "1.0 to 120.0" in firmware.reason
    assert firmware.ask(Op.READ, Command.PERSON, {}).body == both


def test_an_alert_is_acknowledged(wire: Any) -> None:
    firmware = Firmware(wire)
    wire.wire_push_alert(ctypes.c_float(31.0))
    raised = {"alerts": [{"state": int(AlertState.RAISED), "time_us": 1000}]}
    assert firmware.ask(Op.READ, Command.ALERTS, {}).body == raised
    seen = {"alerts": [{"state": int(AlertState.ACKNOWLEDGED), "time_us": 1234}]}
    assert firmware.ask(Op.WRITE, Command.ALERTS, {"alert": 0}).body == seen
