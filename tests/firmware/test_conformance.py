"""One suite for the Python agent, the firmware as a program (under sanitizers) and the firmware on a microcontroller.

All three are met as a host meets them: through thermo_host, over a port. Each is started once and shared by the tests;
whatever a test changes, it puts back.
"""

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_probe import ROOT, build
from hypothesis import given, settings
from hypothesis import strategies as st
from thermo_core.correction import Correction
from thermo_core.profile import NOTICE
from thermo_device.inference import Classifier
from thermo_device.verdicts import VerdictMaker
from thermo_host.pictures import PictureReader

from thermo_core.bundle import Bundle
from thermo_core.errors import RefusedError
from thermo_core.image import Version, parse
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.sensors.mlx90640.identity import fingerprint
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.management import GroupError
from thermo_core.wire.records import ClockRecord, EventRecord, Record, SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_core.wire.smp import Op, ReturnCode, SmpHeader, SmpMessage, encode_packets
from thermo_device.counters import Counters
from thermo_host.flash import flash, load
from thermo_host.link.wearable import Wearable
from thermo_sim import control
from thermo_sim.clock import VirtualClock
from thermo_sim.eeprom import generate
from thermo_sim.hardware import SimulatedHardware

BUNDLE = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
SEED = 4
READY_S = 60.0
SCORE = 0.02
"""Scores may differ where single precision puts a pixel on the other side of an input step."""


@dataclass
class Running:
    """A wearable of any kind."""

    kind: str
    link: Path
    bundle: Bundle

    @property
    def is_board(self) -> bool:
        return self.kind != "agent"

    def open(self) -> Wearable:
        return Wearable.open(str(self.link), timeout_s=5.0)

    def laboratory(self, command: str, **fields: Any) -> dict[str, Any]:
        return control.request(self.link.with_name(self.link.name + ".ctl"), {"cmd": command, **fields})

    @contextlib.contextmanager
    def raw(self) -> Iterator[int]:
        descriptor = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def started(kind: str, folder: Path, *more: str) -> Iterator[Running]:
    """A wearable in a process of its own, with the shipped bundle in it."""
    link = folder / f"line-{kind}"
    words = ["wearable"]
    if kind != "agent":
        target = {"host": "host_sanitized", "mps2-an386": "mps2_an386"}[kind]
        words = ["board", kind, "--firmware", str(build(target, folder))]
    command = [sys.executable, "-m", "thermo_sim.cli", *words, "--link", str(link), "--no-warm-up", "--seed", str(SEED)]
    process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], READY_S)
        line = process.stdout.readline() if readable else ""
        assert line.startswith("ready"), process.stderr.read() if process.poll() is not None else line
        running = Running(kind, link, Bundle.from_payload(parse(BUNDLE.read_bytes()).payload))
        if not more:
            with running.open() as host:
                flash(host, load(BUNDLE))  # a board has it already
        yield running
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", params=["agent", "host", "mps2-an386"])
def wearable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(request.param, tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture
def host(wearable: Running) -> Iterator[Wearable]:
    with wearable.open() as host:
        yield host


def hear(host: Wearable, until: Callable[[list[Record]], bool], what: str, within_s: float = 60.0) -> list[Record]:
    """Records of a fresh stream until they suffice."""
    heard: list[Record] = []
    end = time.monotonic() + within_s
    with host.stream() as stream:
        while not until(heard):
            assert time.monotonic() < end, f"{what} did not come; heard {[type(one).__name__ for one in heard]}"
            seen = stream.get(5.0)
            if seen is not None:
                heard.append(seen.record)
    return heard


def of(kind: type, records: list[Record]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def test_hello_tells_who_it_is(wearable: Running, host: Wearable) -> None:
    hello, profile = host.hello(), wearable.bundle.profile
    assert hello.serial == f"SIM-{SEED:08d}" and hello.simulated and hello.development_key and not hello.calibrated
    assert (hello.protocol, hello.profile, hello.labels) == (1, profile.name, profile.labels)
    assert hello.notice == NOTICE == profile.notice and hello.model == "1.0.0" and hello.lease_max_ms >= 3000
    camera, array = hello.sensors
    words = generate(SEED)
    assert (camera.kind, camera.sensor, camera.address) == ("mlx90640", 0, profile.picture_sensor.address)
    assert camera.id == words[7:10].astype(">u2").tobytes()
    assert (camera.rate_hz, camera.resolution_bits, camera.chess) == (16.0, 18, True)
    assert camera.emissivity == pytest.approx(profile.picture_sensor.emissivity) and camera.reflected is None
    assert (array.kind, array.sensor, array.address) == ("ads1115", 1, profile.thermistors.address)
    assert array.channels == tuple(channel.name for channel in profile.thermistors.channels)


def test_blobs_are_the_sensors_and_the_bundles(wearable: Running, host: Wearable) -> None:
    np.testing.assert_array_equal(host.eeprom(), generate(SEED))
    assert host.profile() == wearable.bundle.profile
    with pytest.raises(RefusedError, match=r"[Ss]ensor 3"):
        host.eeprom(3)


def test_the_image_is_the_shipped_one(wearable: Running, host: Wearable) -> None:
    (active,) = (image for image in host.images() if image.active)
    assert active.hash == parse(BUNDLE.read_bytes()).sha256 and active.version == "1.0.0" and active.confirmed


@pytest.mark.parametrize("text", ["", "hello", "ä€𝄞", "x" * 200])
def test_echo(host: Wearable, text: str) -> None:
    assert host.echo(text) == text


def test_it_passes_its_own_tests(host: Wearable) -> None:
    results = host.self_test()
    assert [result.name for result in results if not result.passed and result.name != "refresh rate"] == []
    names = [result.name for result in results]
    assert {"EEPROM", "sensor answers", "bad pixels", "page decodes", "supply", "ambient", "model"} <= set(names)
    assert sum(name.startswith("thermistor ") for name in names) == 4


def test_pictures_and_thermistors_are_of_what_is_there(wearable: Running, host: Wearable) -> None:
    wearable.laboratory("blackbody", celsius=37.0)
    try:
        words, generation = host.constants()
        reader = PictureReader(words, emissivity=0.98, generation=generation)
        heard = hear(host, lambda records: len(of(SubpageRecord, records)) >= 24, "pages")
        pictures = [picture for record in of(SubpageRecord, heard) if (picture := reader.push(record)) is not None]
        assert reader.keyless == reader.invalid == 0 and len(pictures) >= 4
        mean = np.mean([picture.celsius for picture in pictures[2:]], axis=0)
        assert abs(mean.mean() - 37.0) < 1.5  # the sensor's own error, uncalibrated
        temperatures = [channel.celsius for channel in of(ThermistorRecord, heard)[-1].channels]
        np.testing.assert_allclose(np.array(temperatures, float), 37.0, atol=0.6)
        assert of(ClockRecord, heard)
        index = [record.index for record in of(SubpageRecord, heard)]
        assert index == sorted(set(index)) and of(SubpageRecord, heard)[0].packed.key
    finally:
        wearable.laboratory("scene")


def test_verdicts_are_what_the_reference_says_of_the_same_counts(wearable: Running, host: Wearable) -> None:
    maker = VerdictMaker(
        wearable.bundle.profile, Classifier(wearable.bundle), Constants.from_eeprom(host.eeprom()), None,
        VirtualClock(), Counters(), True, Version(1, 0, 0, 0),
    )  # fmt: skip
    reader = PictureReader(host.eeprom())
    host.reset()  # so that neither has seen pictures before
    own: dict[int, VerdictRecord] = {}
    heard = hear(host, lambda records: len(of(VerdictRecord, records)) >= 12, "verdicts", 120.0)
    for record in of(SubpageRecord, heard):
        subpage = reader.unpack(record)
        verdict = None if subpage is None else maker.push(Subpage(subpage.words, subpage.index, subpage.time_us))
        if verdict is not None:
            own[verdict.index] = verdict
    both = [(verdict, own[verdict.index]) for verdict in of(VerdictRecord, heard) if verdict.index in own]
    assert len(both) >= 8
    for theirs, ours in both:
        np.testing.assert_allclose(theirs.scores, ours.scores, atol=SCORE)
        assert (theirs.pictures, theirs.simulated, theirs.fast_kernels, theirs.model_version) == (
            ours.pictures, True, False, (1, 0, 0, 0),
        )  # fmt: skip
        assert theirs.uncalibrated and theirs.label == int(np.argmax(theirs.scores))


def test_a_calibration_is_checked_stored_used_and_rolled_back(host: Wearable) -> None:
    mine = host.hello().sensors[0].id
    first, second = (
        replace(Correction.identity(mine), offset=np.full((24, 32), offset, np.float32)) for offset in (0.5, -0.5)
    )
    with pytest.raises(RefusedError, match="of sensor"):
        host.write_calibration(Correction.identity(b"others"))
    host.write_calibration(first)
    assert host.hello().calibrated
    host.write_calibration(second)
    assert host.calibration_bytes(0) == second.to_bytes() and host.calibration_bytes(1) == first.to_bytes()
    host.reset()
    assert host.hello().calibrated and host.calibration_bytes(0) == second.to_bytes()
    host.rollback()
    assert host.calibration_bytes(0) == first.to_bytes()
    host.write_calibration(Correction.identity(mine))


def test_a_calibration_that_no_sensor_needs_is_refused_with_the_figure(host: Wearable) -> None:
    info = host.hello().sensors[0]
    same = Correction.identity(info.id)
    before = host.calibration_bytes(0)
    warm = SteinhartHart(1.9e-3, 2.341077e-4, 8.775468e-8)
    for wrong, says in (
        (replace(same, offset=np.full((24, 32), 5.0, np.float32)), r"by \+5\.00 K on average"),
        (replace(same, offset=np.full((24, 32), -1000.0, np.float32)), r"by -1000\.00 K on average"),
        (replace(same, gain=np.full((24, 32), 0.3, np.float32)), r"row 0, column 0"),
        (replace(same, bad=np.arange(768).reshape(24, 32) < 100), "calls 100 of 768 pixels bad"),
        (replace(same, thermistors=(None, warm)), "moves thermistor"),
        (replace(same, fingerprint=info.fingerprint ^ 1), "EEPROM held something else"),
    ):
        with pytest.raises(RefusedError, match=says):
            host.write_calibration(wrong)
    assert host.calibration_bytes(0) == before and not host.hello().calibrated


def test_another_sensor_and_a_changed_eeprom_are_told_and_numbered(wearable: Running, host: Wearable) -> None:
    first = host.hello().sensors[0]
    assert first.generation >= 1 and first.fingerprint == fingerprint(generate(SEED)) and first.warning == ""
    mine = replace(
        Correction.identity(first.id), offset=np.full((24, 32), 0.5, np.float32), fingerprint=first.fingerprint
    )
    host.write_calibration(mine)
    try:
        wearable.laboratory("exchange", seed=SEED + 1)
        heard = hear(host, lambda records: len(of(SubpageRecord, records)) >= 12, "pages")
        assert {record.generation for record in of(SubpageRecord, heard)[-8:]} == {first.generation + 1}
        other = host.hello()
        assert other.sensors[0].id == generate(SEED + 1)[7:10].astype(">u2").tobytes() and not other.calibrated
        assert host.counters()["sensor_changed"] >= 1 and other.sensors[0].warning == ""
        np.testing.assert_array_equal(host.eeprom(), generate(SEED + 1))
        # The first one is put back, and a cell of its EEPROM has changed meanwhile.
        wearable.laboratory("exchange", seed=SEED)
        wearable.laboratory("rot", address=0x2440 + 300, bit=5)
        heard = hear(
            host,
            lambda records: len(of(SubpageRecord, records)) >= 12 and bool(of(VerdictRecord, records)),
            "pages and verdicts",
            120.0,
        )
        assert {record.generation for record in of(SubpageRecord, heard)[-4:]} == {first.generation + 2}
        assert of(VerdictRecord, heard)[-1].doubtful and of(VerdictRecord, heard)[-1].uncalibrated
        changed = host.hello()
        assert "EEPROM is not the one it was first seen" in changed.sensors[0].warning and not changed.calibrated
        results = {result.name: result for result in host.self_test()}
        assert not results["constants"].passed and results["EEPROM"].passed
        assert any(event.code == 28 for event in of(EventRecord, heard))
        # A calibration made with what it holds now takes it as it is.
        vouched = replace(mine, fingerprint=changed.sensors[0].fingerprint)
        host.write_calibration(vouched)
        assert host.hello().sensors[0].warning == "" and host.hello().calibrated
        assert {result.name: result for result in host.self_test()}["constants"].passed
        host.reset()
        assert host.hello().sensors[0].generation == first.generation + 2 and host.hello().sensors[0].warning == ""
    finally:
        wearable.laboratory("exchange", seed=SEED)
        host.self_test()
        host.write_calibration(Correction.identity(first.id))


def test_what_it_refuses_has_a_reason(host: Wearable) -> None:
    before = host.counters().get("requests_refused", 0)
    with pytest.raises(RefusedError, match="rate"):
        host.set_rate(7.0)
    with pytest.raises(RefusedError, match="lease"), host.stream(lease_s=0.01):
        pass
    assert host.counters()["requests_refused"] >= before + 2

    def told(records: list[Record]) -> bool:
        return any(event.code == 100 and "lease" in event.text for event in of(EventRecord, records))

    hear(host, told, "the event of a refusal")


def test_the_rate_changes_until_the_next_reset(host: Wearable) -> None:
    assert host.set_rate(8.0) == 8.0 and host.hello().sensors[0].rate_hz == 8.0
    pages = of(SubpageRecord, hear(host, lambda records: len(of(SubpageRecord, records)) >= 12, "pages"))
    periods = np.diff([record.time_us for record in pages])[2:] / np.diff([r.index for r in pages])[2:]
    assert np.median(periods) == pytest.approx(125_000, rel=0.1)
    before = host.hello().time_us
    host.reset()
    assert host.hello().sensors[0].rate_hz == 16.0 and host.hello().time_us > before


@pytest.mark.parametrize(
    ("fault", "counter"), [("nack@+3", "bus_nack"), ("short@+3x3", "bus_short_read"), ("stuck@+3", "bus_stuck")]
)
def test_faults_of_the_bus_are_counted_and_survived(
    wearable: Running, host: Wearable, fault: str, counter: str
) -> None:
    before = host.counters().get(counter, 0)
    wearable.laboratory("fault", spec=fault)
    hear(host, lambda records: len(of(SubpageRecord, records)) >= 24, "pages")
    assert host.counters()[counter] > before
    wearable.laboratory("fault", spec="")


def test_a_sensor_that_is_pulled_comes_back(wearable: Running, host: Wearable) -> None:
    before = host.counters().get("sensor_lost", 0)
    wearable.laboratory("fault", spec="unplug@+10+3s:addr=0x33")

    def returned(records: list[Record]) -> bool:
        lost = [at for at, one in enumerate(records) if isinstance(one, EventRecord) and one.code == 20]
        return bool(lost) and len(of(SubpageRecord, records[lost[0] :])) >= 8

    hear(host, returned, "the sensor's return")
    assert host.counters()["sensor_lost"] > before
    wearable.laboratory("fault", spec="")


def test_the_line_is_quiet_once_the_lease_has_run_out(wearable: Running) -> None:
    """A host that vanished leaves nothing for whoever opens the port next."""
    start = {"op": 1, "lease_ms": 500}
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        os.write(port, encode_packets(SmpMessage(SmpHeader(Op.WRITE, 65, 1, 7), start).encode()))
        heard: list[object] = []
        while select.select([port], [], [], 4.0)[0]:
            heard += demultiplexer.feed(os.read(port, 4096))
        answers = [one for one in heard if isinstance(one, ManagementFrame)]
        assert len(answers) == 1 and any(isinstance(one, TelemetryFrame) for one in heard)


def test_rubbish_on_the_line_costs_nothing_but_itself(wearable: Running, host: Wearable) -> None:
    host.close()
    rng = np.random.default_rng(9)
    with wearable.raw() as port:
        for size in (1, 64, 700):
            os.write(port, rng.bytes(size) + b"\n")
            time.sleep(0.05)
        for piece in (b"\x06\x09AAAA", b"\x04\x14" + b"A" * 120 + b"\n", b"\x06\x09" + b"A" * 3000 + b"\n"):
            os.write(port, piece)
            time.sleep(0.05)
    with wearable.open() as again:
        assert again.echo("still here") == "still here"


@pytest.mark.parametrize("version", [0, 1])
def test_unknown_commands_are_refused_in_the_version_asked(wearable: Running, version: int) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        header = SmpHeader(Op.READ, 65, 99, 5, version=version)
        os.write(port, encode_packets(SmpMessage(header, {}).encode()))
        frames: list[object] = []
        while not frames and select.select([port], [], [], 30.0)[0]:
            frames += demultiplexer.feed(os.read(port, 4096))
        (frame,) = frames
        assert isinstance(frame, ManagementFrame)
        answer = SmpMessage.decode(frame.message)
        assert (answer.header.sequence, answer.header.version) == (5, version)
        assert answer.body.get("rc", dict(answer.body.get("err", {})).get("rc", 0)) != 0


def asked(port: int, demultiplexer: Demultiplexer, message: bytes) -> SmpMessage:
    """The answer to one message, whatever else comes."""
    data = encode_packets(message)
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(port, data) :]
    while select.select([port], [], [], 30.0)[0]:
        for frame in demultiplexer.feed(os.read(port, 4096)):
            if isinstance(frame, ManagementFrame):
                return SmpMessage.decode(frame.message)
    raise AssertionError("no answer came")


def request(op: Op, command: int, body: dict[str, Any], group: int = 65) -> bytes:
    return SmpMessage(SmpHeader(op, group, command, 1), body).encode()


def malformed(body: bytes) -> bytes:
    return struct.pack("!BBHHBB", 0x08, 0, len(body), 65, 1, 0) + body


INVALID, UNSUPPORTED = (None, ReturnCode.INVALID), (None, ReturnCode.NOT_SUPPORTED)
REFUSED: dict[str, tuple[bytes, tuple[int | None, int]]] = {
    "unknown group": (request(Op.READ, 0, {}, group=99), UNSUPPORTED),
    "unknown command": (request(Op.READ, 77, {}), UNSUPPORTED),
    "wrong operation": (request(Op.WRITE, 0, {}), UNSUPPORTED),
    "no CBOR": (malformed(b"\xff\xff\xff"), INVALID),
    "no map": (malformed(b"\x01"), INVALID),
    "missing field": (request(Op.WRITE, 7, {}), INVALID),
    "wrong type": (request(Op.WRITE, 7, {"rate_hz": "16"}), INVALID),
    "no such rate": (request(Op.WRITE, 7, {"rate_hz": 5.0}), (65, GroupError.BAD_RATE)),
    "no such sensor": (request(Op.READ, 2, {"off": 0, "sensor": 3}), (65, GroupError.NO_SENSOR)),
    "beyond the end": (request(Op.READ, 2, {"off": 5000}), (65, GroupError.BAD_OFFSET)),
    "no such slot": (request(Op.READ, 3, {"slot": 2}), INVALID),
    "short lease": (request(Op.WRITE, 1, {"op": 1, "lease_ms": 1}), INVALID),
    "no lease": (request(Op.WRITE, 1, {"op": 2, "lease_ms": 1000}), (65, GroupError.NO_LEASE)),
    "part out of turn": (request(Op.WRITE, 3, {"off": 10, "len": 9440, "data": b"1234"}), (65, GroupError.BAD_OFFSET)),
    "part too long": (request(Op.WRITE, 3, {"off": 0, "len": 4, "data": b"12345"}), INVALID),
    "no calibration": (request(Op.WRITE, 3, {"off": 0, "len": 4, "data": b"1234"}), (65, GroupError.DAMAGED)),
}


def test_requests_that_make_no_sense_are_refused_alike(wearable: Running) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        told = {name: asked(port, demultiplexer, message).error for name, (message, _) in REFUSED.items()}
    assert told == {name: code for name, (_, code) in REFUSED.items()}


def test_whatever_arrives_it_goes_on_answering(wearable: Running) -> None:
    marks = st.sampled_from([b"\x06\x09", b"\x04\x14", b"\n", b"\0", b"AAAA"])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=300), marks), max_size=8))
    def attempt(pieces: list[bytes]) -> None:
        os.write(port, b"".join(pieces) + b"\n")
        assert asked(port, Demultiplexer(), request(Op.READ, 0, {"d": "here"}, group=0)).body == {"r": "here"}

    with wearable.raw() as port:
        attempt()


def test_calibrate_record_and_replay_as_a_user_does(wearable: Running, tmp_path: Path) -> None:
    def command(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "thermo_host.cli", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    line, session = str(wearable.link), str(tmp_path / "session.mcap")
    points = ["--set-points", "30,38", "--hold-out", "34.7", "--pictures", "16"]
    figures = command("calibrate", line, "--quick", *points, "--yes", "--output", str(tmp_path / "calibration"))
    assert figures["written"] and figures["after"]["rmse_k"] < figures["before"]["rmse_k"] / 4
    command("record", line, "--seconds", "3", "--output", session)
    command("replay", session, "--summary")


def test_an_unplugged_cable_is_no_reset(wearable: Running) -> None:
    with wearable.open() as host:
        before = host.hello().time_us
    wearable.laboratory("unplug", seconds=0.3)
    end = time.monotonic() + 30
    while not wearable.link.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    with wearable.open() as host:
        assert host.hello().time_us > before and host.echo("back") == "back"


@pytest.mark.parametrize("kind", ["host", "mps2-an386"])
def test_a_noisy_line_costs_records_and_never_gives_wrong_ones(kind: str, tmp_path: Path) -> None:
    with started(kind, tmp_path, "--line-noise", "flip=2e-4,drop=2e-5") as wearable:
        hardware = SimulatedHardware.from_profile(seed=SEED, warm_up_tau_s=0)
        with wearable.open() as host:
            words, generation = host.constants()
            np.testing.assert_array_equal(words, generate(SEED))
            reader = PictureReader(words, emissivity=0.98, generation=generation)
            lost = pages = 0
            end = time.monotonic() + 120
            with host.stream(key_interval=4) as stream:
                while pages < 100 or not stream.lost:
                    assert time.monotonic() < end, (pages, stream.lost)
                    seen = stream.get(5.0)
                    if seen is None or not isinstance(seen.record, SubpageRecord):
                        continue
                    pages += 1
                    picture = reader.push(seen.record)
                    if picture is not None:
                        truth = hardware.scene.celsius(0.0)
                        assert np.abs(picture.celsius - truth).max() < 8.0
                lost = stream.lost
        assert lost > 0 and wearable.laboratory("status")["line_bytes_damaged"] > 0
        assert json.dumps(wearable.laboratory("status"))
