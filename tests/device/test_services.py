"""What a host may ask of the agent, over a real pseudo-terminal: group 65 of protocol 2, from hello to what is refused and why."""

import contextlib
import hashlib
import os
import select
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import KEY, breast_patch, image
from msgspec.structs import replace
from patience import WAIT_S

from thermo_core import schema
from thermo_core.graph.alerts import AlertState
from thermo_core.image import parse
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.correction import Stamp, fingerprint, to_bytes
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wearable.profile import Alert, Profile
from thermo_core.wire import records
from thermo_core.wire.events import NOTICES
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.management import Hello, Part, read
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord, Record, SignalRecord
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command, GroupError, StreamOp
from thermo_device.agent import Agent, AgentSettings
from thermo_device.bare import DEFAULT
from thermo_device.hardware import Hardware
from thermo_sim.clock import WallClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.pseudo_terminal import PseudoTerminal

SKIN, SPOTS, ROOM = 0, 1, 2
WITH_ROOM = replace(
    breast_patch().profile,
    sensors=(*breast_patch().profile.sensors, ExternalSettings(name="room", unit="degC", low=-20, high=60)),
    alerts=(
        Alert(name="hot", when="room > 30"),
        Alert(name="lesion", when="lesion.lesion >= 0", clear="lesion.lesion < 0"),
    ),
    person=("age_years",),
    models=(replace(breast_patch().profile.models[0], read=None),),
)
"""The breast patch with the room's temperature from outside, and alerts that go by what an uncalibrated camera shows."""
LEASE_MS = 3_600_000
"""Of a device that lives four times as fast, on a machine that may have no time for this host."""


class Client:
    """A host of a few lines."""

    def __init__(self, link: Path) -> None:
        self._descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._demultiplexer = Demultiplexer()
        self._sequence = 0
        self.heard: list[Record] = []

    def close(self) -> None:
        os.close(self._descriptor)

    def ask(self, op: Op, command: int, body: Mapping[str, Any] | None = None, group: int = Group.THERMO) -> Any:
        """The body of an answer."""
        self._sequence = (self._sequence + 1) % 256
        header = SmpHeader(op, int(group), int(command), self._sequence, 1)
        data = encode_packets(SmpMessage(header, dict(body or {})).encode())
        while data:
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._descriptor, data) :]
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s:
            for message in self._hear():
                if message.header.sequence == self._sequence:
                    return message.body
        pytest.fail(f"no answer to {command}")

    def read(self, command: Command, **body: Any) -> Any:
        return self.ask(Op.READ, command, body)

    def write(self, command: Command, **body: Any) -> Any:
        return self.ask(Op.WRITE, command, body)

    def refused(self, op: Op, command: Command, **body: Any) -> GroupError:
        """The code a request is refused with."""
        error = self.ask(op, command, body).get("err")
        assert error is not None and error["group"] == Group.THERMO, f"{command} was not refused by the group: {error}"
        return GroupError(error["rc"])

    def why(self) -> str:
        """The sentence of the last refusal."""
        return str(self.read(Command.REFUSAL)["reason"])

    def whole(self, command: Command, **body: Any) -> tuple[bytes, Part]:
        """Something long, part by part."""
        data = b""
        while True:
            part = read(Part, self.read(command, off=len(data), **body))
            data += part.data
            if len(data) == part.len:
                return data, part

    def send_correction(self, sensor: int, blob: bytes) -> Any:
        answer: Any = {"off": 0}
        while answer.get("off", len(blob)) < len(blob):
            off = answer["off"]
            answer = self.write(Command.CORRECTION, off=off, len=len(blob), data=blob[off : off + 2000], sensor=sensor)
        return answer

    def stream(self) -> None:
        assert self.write(Command.STREAM, op=int(StreamOp.START), lease_ms=LEASE_MS)["lease_ms"] == LEASE_MS

    def wait(self, kind: type[Record], count: int = 1) -> list[Any]:
        """Records of a kind, once so many have been heard."""
        end_s = time.monotonic() + WAIT_S
        while len(found := [record for record in self.heard if isinstance(record, kind)]) < count:
            assert time.monotonic() < end_s, f"{len(found)} of {count} {kind.__name__}"
            self._hear()
        return found

    def _hear(self) -> list[SmpMessage]:
        select.select([self._descriptor], [], [], 0.1)
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return []
        messages = []
        for frame in self._demultiplexer.feed(data):
            if isinstance(frame, ManagementFrame):
                messages.append(SmpMessage.decode(frame.message))
            elif isinstance(frame, TelemetryFrame):
                self.heard.append(records.decode(frame.record)[1])
        return messages


class Bench:
    """An agent in a thread of its own, at four times real time."""

    def __init__(self, folder: Path, seed: int = 6, bare: Profile | None = None) -> None:
        self.simulated = SimulatedHardware.from_profile(
            seed=seed, bus_hz=1_000_000, warm_up_tau_s=0, clock=WallClock(4.0)
        )
        hardware = Hardware(self.simulated.bus, self.simulated.clock, "patch", "0001", simulated=True)
        settings = AgentSettings(
            folder / "state",
            (KEY.public_key(),),
            longest_lease_s=LEASE_MS / 1000,
            bare=DEFAULT if bare is None else bare,
        )
        self._link = folder / "port"
        self.agent = Agent(PseudoTerminal(self._link), hardware, settings)
        self._thread = threading.Thread(target=self.agent.run)

    def __enter__(self) -> Client:
        self._thread.start()
        end_s = time.monotonic() + WAIT_S
        while not self._link.is_symlink():
            assert time.monotonic() < end_s
            time.sleep(0.005)
        self.client = Client(self._link)
        return self.client

    def __exit__(self, *exception: object) -> None:
        self.client.close()
        self.agent.stop()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Client]:
    """Talks to a wearable with the bare profile."""
    with Bench(tmp_path) as client:
        yield client


def flash(host: Client, profile: Profile, version: str = "1.0.0") -> bytes:
    """Install a bundle of this profile and the breast patch's network; the image's hash."""
    data = image(replace(breast_patch(), profile=profile), version)
    offset, sha = 0, hashlib.sha256(data).digest()
    while offset < len(data):
        body = {"off": offset, "data": data[offset : offset + 4000], "len": len(data), "sha": sha}
        offset = host.ask(Op.WRITE, 1, body, Group.IMAGE)["off"]
    identity = parse(data).sha256
    assert "images" in host.ask(Op.WRITE, 0, {"hash": identity, "confirm": True}, Group.IMAGE)
    host.ask(Op.WRITE, 5, {}, Group.OS)
    return identity


def hello(host: Client) -> Hello:
    return read(Hello, host.read(Command.HELLO))


def test_hello_profile_and_constants_of_a_bare_device(host: Client) -> None:
    said = hello(host)
    assert (said.protocol, said.profile, said.bundle, said.simulated) == (2, "bare", "", True)
    assert [sensor.kind for sensor in said.sensors] == ["mlx90640", "ads1115-ntc"]
    skin, spots = said.sensors
    assert (len(skin.id), skin.constants, skin.rate_hz, skin.fault, skin.warning) == (6, 1, 16.0, "", "")
    assert (len(spots.id), spots.constants, spots.corrected) == (8, 1, False)
    data, _ = host.whole(Command.PROFILE)
    assert hashlib.sha256(data).digest() == said.profile_sha256
    profile = schema.from_cbor(data, Profile, "profile", canonical=True)
    assert [sensor.name for sensor in profile.sensors] == ["skin", "spots"]
    constants, part = host.whole(Command.CONSTANTS, sensor=SKIN)
    assert (len(constants), part.sensor, part.constants) == (1664, SKIN, 1)
    assert host.whole(Command.CONSTANTS, sensor=SPOTS)[0] == b""
    assert host.refused(Op.READ, Command.CONSTANTS, sensor=2) is GroupError.NO_SENSOR
    assert "numbered 0 to 1" in host.why()
    assert host.refused(Op.READ, Command.PROFILE, off=1 << 19) is GroupError.BAD_OFFSET


def test_a_bundle_brings_its_profile_findings_and_alerts(host: Client) -> None:
    identity = flash(host, WITH_ROOM)
    said = hello(host)
    assert (said.profile, said.bundle, said.bundle_sha256) == ("breast-patch", "1.0.0", identity)
    host.stream()
    for finding in host.wait(FindingRecord, 5):
        assert finding.bundle == int.from_bytes(identity[:4], "little")
        assert sum(finding.values) == pytest.approx(1, abs=0.01)
    raised = host.wait(AlertRecord, 3)[-1].change
    assert (raised.alert, raised.state) == (1, AlertState.RAISED)
    assert [alert["state"] for alert in host.read(Command.ALERTS)["alerts"]] == [AlertState.CLEAR, AlertState.RAISED]
    assert host.write(Command.ALERTS, alert=1)["alerts"][1]["state"] == AlertState.ACKNOWLEDGED
    host.wait(AlertRecord, 4)
    assert host.refused(Op.WRITE, Command.ALERTS, alert=2) is GroupError.NO_SUCH


def test_what_a_host_feeds_is_a_sensor_like_any_other(host: Client) -> None:
    flash(host, WITH_ROOM)
    warm = np.array([35.5], "<f4").tobytes()
    assert host.refused(Op.WRITE, Command.FEED, sensor=ROOM, values=warm) is GroupError.NO_LEASE
    host.stream()
    assert host.write(Command.FEED, sensor=ROOM, values=warm) == {}
    end_s = time.monotonic() + WAIT_S
    while not (blocks := [one for one in host.wait(Block) if one.sensor == ROOM]):
        assert time.monotonic() < end_s
        host._hear()
    assert blocks[0].data == warm and blocks[0].index == 0
    while not [one for one in host.wait(AlertRecord) if (one.change.alert, one.change.state) == (0, AlertState.RAISED)]:
        assert time.monotonic() < end_s
        host._hear()
    assert host.refused(Op.WRITE, Command.FEED, sensor=SKIN, values=warm) is GroupError.NO_SENSOR
    assert host.refused(Op.WRITE, Command.FEED, sensor=ROOM, values=2 * warm) is GroupError.IMPLAUSIBLE
    assert host.refused(Op.WRITE, Command.FEED, sensor=ROOM, values=b"\0" * 5) is GroupError.IMPLAUSIBLE
    hot = np.array([100], "<f4").tobytes()
    assert host.refused(Op.WRITE, Command.FEED, sensor=ROOM, values=hot) is GroupError.IMPLAUSIBLE
    assert "-20 to 60" in host.why()


def test_signals_come_while_they_are_asked_for_and_end_with_the_stream(host: Client) -> None:
    assert host.refused(Op.WRITE, Command.SIGNALS, signals=[0]) is GroupError.NO_LEASE
    host.stream()
    assert host.refused(Op.WRITE, Command.SIGNALS, signals=[0, 99]) is GroupError.NO_SUCH
    assert host.write(Command.SIGNALS, signals=[0, 3]) == {"signals": [0, 3]}
    assert {part.signal for part in host.wait(SignalRecord, 40)} == {0, 3}
    host.write(Command.STREAM, op=int(StreamOp.STOP))
    host.heard.clear()
    host.stream()
    host.wait(Block, 20)
    assert not [record for record in host.heard if isinstance(record, SignalRecord)]


def test_the_wearer_is_kept_over_restarts(tmp_path: Path) -> None:
    with Bench(tmp_path) as host:
        assert host.read(Command.PERSON) == {"person": {}}
        assert host.write(Command.PERSON, person={"age_years": 40.0}) == {"person": {"age_years": 40.0}}
        told = {"age_years": 41.0, "weight_kg": 70.0}
        assert host.write(Command.PERSON, person={"age_years": 41.0, "weight_kg": 70.0}) == {"person": told}
        assert host.refused(Op.WRITE, Command.PERSON, person={"age_years": 400.0}) is GroupError.IMPLAUSIBLE
        assert "1 to 120" in host.why()
        assert host.refused(Op.WRITE, Command.PERSON, person={"shoes": 42.0}) is GroupError.NO_SUCH
        assert host.read(Command.PERSON) == {"person": told}
    with Bench(tmp_path) as host:
        assert host.read(Command.PERSON) == {"person": told}


def _correction(host: Client, offset: float = 0.5) -> PixelCorrection:
    constants, _ = host.whole(Command.CONSTANTS, sensor=SKIN)
    identity = hello(host).sensors[SKIN].id
    made = PixelCorrection.identity(Stamp(identity, 1_800_000_000, 0.1, fingerprint(constants)))
    return PixelCorrection(np.full((24, 32), offset, np.float32), made.gain, made.ta_slope, made.bad, made.stamp)


def test_corrections_are_of_a_sensor_each_and_roll_back(tmp_path: Path) -> None:
    with Bench(tmp_path) as host:
        first, second = to_bytes(_correction(host, 0.5)), to_bytes(_correction(host, 0.25))
        assert host.refused(Op.WRITE, Command.ROLLBACK, sensor=SKIN) is GroupError.NO_CORRECTION
        assert host.send_correction(SKIN, first) == {"off": len(first)}
        assert [sensor.corrected for sensor in hello(host).sensors] == [True, False]
        assert host.send_correction(SKIN, second) == {"off": len(second)}
        assert host.whole(Command.CORRECTION, sensor=SKIN, slot=0)[0] == second
        assert host.whole(Command.CORRECTION, sensor=SKIN, slot=1)[0] == first
        assert host.whole(Command.CORRECTION, sensor=SPOTS)[0] == b""
        assert host.write(Command.ROLLBACK, sensor=SKIN) == {}
        curves = CurveCorrection((None,) * 4, Stamp(hello(host).sensors[SPOTS].id))
        assert host.send_correction(SPOTS, to_bytes(curves)) == {"off": len(to_bytes(curves))}
    with Bench(tmp_path) as host:
        assert host.whole(Command.CORRECTION, sensor=SKIN, slot=0)[0] == first
        assert host.whole(Command.CORRECTION, sensor=SPOTS, slot=0)[0] == to_bytes(curves)
        assert hello(host).sensors[SKIN].corrected


def test_corrections_that_are_not_of_the_sensor_are_refused(host: Client) -> None:
    sound = _correction(host)
    other = sound.stamp
    for stamp, code in (
        (Stamp(b"other!", 0, 0.0, other.constants_crc32), GroupError.WRONG_SENSOR),
        (Stamp(other.sensor_id, 0, 0.0, other.constants_crc32 ^ 1), GroupError.WRONG_SENSOR),
    ):
        blob = to_bytes(PixelCorrection(sound.offset, sound.gain, sound.ta_slope, sound.bad, stamp))
        answer = host.send_correction(SKIN, blob)
        assert answer["err"]["rc"] == code
    assert host.send_correction(SPOTS, to_bytes(sound))["err"]["rc"] == GroupError.WRONG_SENSOR
    assert "kind mlx90640 and spots is of kind ads1115-ntc" in host.why()
    far = PixelCorrection(sound.offset + np.float32(30), sound.gain, sound.ta_slope, sound.bad, sound.stamp)
    assert host.send_correction(SKIN, to_bytes(far))["err"]["rc"] == GroupError.IMPLAUSIBLE
    damaged = to_bytes(sound)[:-1] + b"\0"
    assert host.send_correction(SKIN, damaged)["err"]["rc"] == GroupError.DAMAGED
    assert host.send_correction(7, to_bytes(sound))["err"]["rc"] == GroupError.NO_SENSOR
    assert not hello(host).sensors[SKIN].corrected


def test_rates_counters_and_self_test(host: Client) -> None:
    assert host.write(Command.RATE, sensor=SKIN, rate_hz=8.0) == {"sensor": SKIN, "rate_hz": 8.0}
    assert hello(host).sensors[SKIN].rate_hz == 8.0
    assert host.refused(Op.WRITE, Command.RATE, sensor=SKIN, rate_hz=7.0) is GroupError.BAD_RATE
    assert host.refused(Op.WRITE, Command.RATE, sensor=SPOTS, rate_hz=7.0) is GroupError.BAD_RATE
    assert host.refused(Op.WRITE, Command.RATE, sensor=9, rate_hz=7.0) is GroupError.NO_SENSOR
    results = host.write(Command.SELF_TEST)["results"]
    assert len(results) > 8 and all(result["passed"] for result in results)
    parts = [host.write(Command.SELF_TEST, part=part)["results"] for part in range(3)]
    assert [result["name"] for part in parts for result in part] == [result["name"] for result in results]
    assert {result["name"].split(":")[0] for result in parts[SPOTS]} == {"spots"}
    assert host.refused(Op.WRITE, Command.SELF_TEST, part=3) is GroupError.NO_SENSOR
    assert host.read(Command.COUNTERS)["counters"]["requests_refused"] == 4


def test_a_request_that_means_nothing_is_refused_with_its_field(host: Client) -> None:
    answer = host.write(Command.STREAM, op=1, lease_ms=-1)
    assert "lease_ms" in answer["rsn"]
    host.stream()
    codes = {event.code for event in host.wait(EventRecord)}
    assert NOTICES["request_refused"].code in codes


def test_a_bundle_that_does_not_run_gives_way_and_says_so(host: Client) -> None:
    flash(host, WITH_ROOM)
    broken = replace(WITH_ROOM, stages=())
    flash(host, replace(broken, models=(replace(broken.models[0], inputs=("spots",)),)), "2.0.0")
    assert hello(host).bundle.startswith("1.0.0")
    host.stream()
    told = [event for event in host.wait(EventRecord, 2) if event.code == NOTICES["model_rejected"].code]
    assert told and '"spots" of shape (4,) do not fit' in told[0].text
