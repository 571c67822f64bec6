"""The firmware's whole main loop on simulated sensors in simulated time; the host's and core's code judge what it says."""

import contextlib
import ctypes
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from bundles import IMAGE, breast_patch
from firmware_wearable import FirmwareWearable
from unfit import FIT, UNFIT

from thermo_core import schema
from thermo_core.errors import MissingKeyFrameError
from thermo_core.graph.engine import Engine
from thermo_core.graph.plan import plan
from thermo_core.graph.rates import plan_at
from thermo_core.image import parse
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc import codec as scans
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.version import software_version
from thermo_core.wearable.profile import Profile
from thermo_core.wire.events import FAULTS
from thermo_core.wire.management import Alerts, Hello, SelfTest
from thermo_core.wire.management import read as message
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, GroupError, OutputKind

MOST_BYTES = 29_000
"""Of RAM for all state but what the graph, the stack and the rings of the line take."""
CAMERA, SPOTS = 0, 1
Make = Callable[..., FirmwareWearable]


def of(kind: type, found: list[Record]) -> list[Any]:
    """Records of one kind."""
    return [record for record in found if isinstance(record, kind)]


def blocks(found: list[Record], sensor: int) -> list[Block]:
    """Blocks of a sensor."""
    return [one for one in of(Block, found) if one.sensor == sensor]


def subpages(found: list[Record]) -> list[Subpage]:
    """Subpages unpacked as a host does it."""
    decoder = CountsDecoder()
    return [
        Subpage(decoder.decode(codec.decode(one.data, one.index)), one.index, one.time_us)
        for one in blocks(found, CAMERA)
    ]


def hello(wearable: FirmwareWearable) -> Hello:
    return message(Hello, wearable.ask(Command.HELLO))


def identity(wearable: FirmwareWearable, sensor: int = CAMERA) -> bytes:
    return hello(wearable).sensors[sensor].id


def self_test(wearable: FirmwareWearable) -> dict[str, Any]:
    return {one.name: one for one in message(SelfTest, wearable.ask(Command.SELF_TEST, {}, Op.WRITE)).results}


def write(wearable: FirmwareWearable, blob: bytes, sensor: int = CAMERA) -> dict[str, Any]:
    """Send a correction in parts; the last answer."""
    answer: dict[str, Any] = {}
    for at in range(0, len(blob), 384):
        part = {"off": at, "len": len(blob), "data": blob[at : at + 384], "sensor": sensor}
        answer = wearable.ask(Command.CORRECTION, part, Op.WRITE)
        if "err" in answer:
            break
    return answer


def read(wearable: FirmwareWearable, command: int, **more: int) -> bytes:
    """Read something in parts."""
    data = bytearray()
    while True:
        answer = wearable.ask(command, {"off": len(data), **more})
        data += answer["data"]
        if len(data) >= answer["len"]:
            return bytes(data)


def test_it_says_what_it_is(make: Make) -> None:
    wearable = make()
    wearable.listen()
    wearable.run(1.5)
    said = hello(wearable)
    words = wearable.hardware.chip.cells.words
    camera, spots = said.sensors
    assert camera.id == words[7:10].astype(">u2").tobytes()
    assert (camera.kind, camera.rate_hz, camera.corrected, camera.fault) == ("mlx90640", 16.0, False, "")
    assert (spots.kind, spots.rate_hz, len(spots.id)) == ("ads1115-ntc", 2.0, 8)
    assert read(wearable, Command.CONSTANTS, sensor=CAMERA) == words.astype("<u2").tobytes()
    assert wearable.ask(Command.CONSTANTS, {"sensor": CAMERA})["constants"] == camera.constants >= 1
    assert read(wearable, Command.CONSTANTS, sensor=SPOTS) == b""
    image = parse(IMAGE.read_bytes())
    profile = read(wearable, Command.PROFILE)
    assert schema.from_cbor(profile, Profile, "profile") == breast_patch().profile
    assert said.profile_sha256 == hashlib.sha256(profile).digest()
    assert (said.profile, said.software, said.simulated) == ("breast-patch", software_version(), True)
    assert (said.bundle, said.bundle_sha256, said.development_key) == (str(image.version), image.sha256, True)


def test_the_os_group_names_the_boards_processor(make: Make) -> None:
    answer = make().ask(7, {"format": "pm"}, group=0)
    assert answer["output"] == "test harness harness-isa"


def test_nothing_is_sent_without_a_lease_and_nothing_after_it(make: Make) -> None:
    wearable = make()
    assert wearable.run(1.0) == []
    wearable.listen(lease_ms=1000)
    found = wearable.run(3.0)
    assert blocks(found, CAMERA)
    assert max(record.time_us for record in found) < found[0].time_us + 1_200_000
    assert wearable.ask(Command.COUNTERS)["counters"]["leases_expired"] == 1
    refused = wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 1000}, Op.WRITE)
    assert refused["err"]["rc"] == GroupError.NO_LEASE
    assert wearable.run(1.0) == []


def test_every_page_arrives_once_with_the_counts_the_sensor_measured(make: Make) -> None:
    wearable = make()
    chip = wearable.hardware.chip
    measured: list[np.ndarray[Any, Any]] = []
    measure = chip.radiometry.measure

    def observed(*arguments: Any) -> Any:
        result = measure(*arguments)
        measured.append(result.pixels.copy().ravel())
        return result

    chip.radiometry.measure = observed
    wearable.listen(lease_ms=10_000)
    pages = subpages(wearable.run(5.0))
    assert len(pages) > 60
    assert all(after.index - before.index == 1 for before, after in pairwise(pages))
    periods = np.diff([page.time_us for page in pages])
    assert np.abs(periods - np.median(periods)).max() < 1500
    own = [np.flatnonzero((np.add.outer(np.arange(24), np.arange(32)) % 2 == number).ravel()) for number in (0, 1)]
    for page in pages:
        pixels = page.words[own[page.number]]
        assert any(np.array_equal(pixels, truth) for truth in measured)


def engine_for(
    wearable: FirmwareWearable, correction: PixelCorrection | None = None, rates_hz: Sequence[float] = ()
) -> Engine:
    """Core's way from blocks to findings, with what the wearable says of itself."""
    bundle = breast_patch()
    networks = {name: Int8Network(data) for name, data in bundle.networks.items()}
    flags = int(Quality.SIMULATED)
    engine = Engine(plan_at(bundle.profile, rates_hz), networks, flags=flags)
    camera, spots = hello(wearable).sensors
    constants = read(wearable, Command.CONSTANTS, sensor=CAMERA)
    engine.open(CAMERA, SensorConstants(camera.constants, constants), correction)
    engine.open(SPOTS, SensorConstants(spots.constants, b""), None)
    return engine


@pytest.mark.parametrize("calibrated", [False, True])
def test_findings_and_alerts_are_those_core_makes_of_the_same_blocks(make: Make, calibrated: bool) -> None:
    wearable = make()
    correction = None
    if calibrated:
        rng = np.random.default_rng(5)
        wearable.run(0.5)
        correction = PixelCorrection(
            offset=rng.normal(0, 0.4, (24, 32)).astype(np.float32),
            gain=rng.normal(1, 0.01, (24, 32)).astype(np.float32),
            ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
            bad=rng.random((24, 32)) < 0.01,
            stamp=Stamp(identity(wearable)),
        )
        assert "err" not in write(wearable, to_bytes(correction))
    wearable.listen(lease_ms=10_000)
    found = wearable.run(9.0)
    engine = engine_for(wearable, correction)
    wanted = {said.finding.time_us: said for block in of(Block, found) for said in engine.push(block).said}
    ours = of(FindingRecord, found)
    assert len(ours) > 30
    assert {one.time_us for one in ours} == set(wanted)
    number = int.from_bytes(parse(IMAGE.read_bytes()).sha256[:4], "little")
    off = []
    for one in ours:
        other = wanted[one.time_us]
        assert (one.model, one.kind, one.bundle, one.newest) == (0, OutputKind.SCORES, number, other.newest)
        assert one.flags == other.finding.flags
        assert bool(one.flags & Quality.UNCALIBRATED) == (not calibrated)
        assert 0 <= one.inference_us <= one.latency_us
        off.append(max(abs(a - b) for a, b in zip(one.values, other.finding.values, strict=True)))
    # Single precision moves a few inputs by one step, and a score by few of its own.
    assert np.mean(off) < 2 / 256
    assert max(off) < 8 / 256


def test_signals_come_as_core_decodes_them(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    wearable.run(1.0)
    names = list(plan(breast_patch().profile).signals)
    wanted = [names.index(name) for name in ("skin.ta", "spots", "above")]
    assert wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE) == {"signals": wanted}
    wearable.listen(lease_ms=10_000)  # a new stream has key frames, and no signals
    assert not of(SignalRecord, wearable.run(1.0))
    wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE)
    before = len(wearable.telemetry)
    wearable.listen(lease_ms=10_000)
    wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE)
    wearable.run(6.0)
    found = [record for _, record in wearable.telemetry[before:]]
    engine = engine_for(wearable)
    theirs: dict[tuple[int, int], Any] = {}
    for block in of(Block, found):
        for produced in engine.push(block).passes:
            theirs |= {(names.index(name), sample.time_us): sample for name, sample in produced.items()}
    whole: dict[tuple[int, int], list[float]] = {}
    for part in of(SignalRecord, found):
        assert part.signal in wanted
        assert part.first == len(whole.setdefault((part.signal, part.time_us), []))
        whole[part.signal, part.time_us] += part.values.tolist()
    compared = 0
    for key, values in whole.items():
        if key in theirs and key[0] != names.index("above"):
            np.testing.assert_allclose(values, theirs[key].values.ravel(), atol=0.01)
            compared += 1
    assert compared > 50
    assert {key[0] for key in whole} == set(wanted)
    assert all(len(values) == 768 for key, values in whole.items() if key[0] == names.index("above"))
    assert wearable.ask(Command.SIGNALS, {"signals": [200]}, Op.WRITE)["err"]["rc"] == GroupError.NO_SUCH


@pytest.mark.parametrize(("harm", "flag"), UNFIT.values(), ids=UNFIT)
def test_pictures_that_are_none_move_no_alert_and_say_so(make: Make, harm: Callable[..., None], flag: Quality) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    assert len(blocks(found, CAMERA)) > 30
    findings = of(FindingRecord, found)
    undecodable = wearable.ask(Command.COUNTERS)["counters"].get("undecodable", 0)
    assert findings or undecodable >= 15
    assert all(one.flags & flag for one in findings)
    assert not [one for one in of(AlertRecord, found) if one.change.state]


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_finding(make: Make, harm: Callable[..., None]) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    findings = of(FindingRecord, wearable.run(5.0))
    assert findings
    assert not any(one.flags & (Quality.MISSING | Quality.OUT_OF_RANGE) for one in findings)


def test_thermistors_read_what_the_bath_has(make: Make) -> None:
    wearable = make()
    wearable.hardware.set_bath(36.5)
    wearable.listen()
    found = wearable.run(2.0)
    engine = engine_for(wearable)
    scanned = blocks(found, SPOTS)
    assert len(scanned) >= 3
    assert all(len(scans.decode(one.data, 4)) == 4 for one in scanned)
    samples = [produced["spots"] for one in scanned for produced in engine.push(one).passes]
    # The simulated thermistors differ from the profile's curve as real ones do.
    assert all(np.abs(sample.values - 36.5).max() < 0.6 for sample in samples)


def test_thermistors_whose_adc_converts_nothing_are_told_as_core_reads_them(make: Make) -> None:
    wearable = make(faults="freeze@0:addr=0x48")
    heard: list[Record] = []
    spots = list(plan(breast_patch().profile).signals).index("spots")
    for _ in range(4):
        wearable.listen(lease_ms=10_000)
        wearable.ask(Command.SIGNALS, {"signals": [spots]}, Op.WRITE)
        heard += wearable.run(8.0)
    assert wearable.ask(Command.COUNTERS)["counters"]["sensor_frozen"] == 1
    (settings,) = [sensor for sensor in breast_patch().profile.sensors if sensor.name == "spots"]
    reader = KINDS[settings.kind].reader(settings, b"", None)
    theirs = {block.time_us: reader.push(block)[0]["spots"].flags for block in blocks(heard, SPOTS)}
    ours = {part.time_us: part.flags & ~Quality.SIMULATED for part in of(SignalRecord, heard)}
    shared = ours.keys() & theirs.keys()
    assert len(shared) > 60 and any(ours[time_us] & Quality.STALE for time_us in shared)
    differing = [time_us for time_us in shared if (ours[time_us] ^ theirs[time_us]) & Quality.STALE]
    assert len(differing) <= 3, "what the firmware had read before somebody listened"


def test_a_camera_whose_pictures_never_change_is_stale_as_core_reads_it(make: Make) -> None:
    wearable = make(faults="freeze@200:addr=0x33")
    bundle = breast_patch()
    signal = list(plan(bundle.profile).signals).index("skin.ta")
    wearable.listen(lease_ms=10_000)
    wearable.ask(Command.SIGNALS, {"signals": [signal]}, Op.WRITE)
    heard = wearable.run(9.5)
    assert wearable.ask(Command.COUNTERS)["counters"]["sensor_frozen"] >= 1
    data = wearable.hardware.chip.cells.words.astype("<u2").tobytes()
    (settings,) = [sensor for sensor in bundle.profile.sensors if sensor.name == "skin"]
    reader = KINDS[settings.kind].reader(settings, data, None)
    theirs: dict[int, Any] = {}
    for block in blocks(heard, CAMERA):
        with contextlib.suppress(MissingKeyFrameError):  # what waited while signals were asked for
            theirs |= {moment["skin.ta"].time_us: moment["skin.ta"].flags for moment in reader.push(block)}
    ours = {part.time_us: part.flags & ~Quality.SIMULATED for part in of(SignalRecord, heard)}
    shared = sorted(ours.keys() & theirs.keys())
    stale = [bool(ours[time_us] & Quality.STALE) for time_us in shared]
    assert len(shared) > 60 and not stale[0] and stale[-1]
    assert sum(bool(theirs[time_us] & Quality.STALE) != one for time_us, one in zip(shared, stale, strict=True)) <= 3


def test_a_full_line_costs_records_that_are_counted_and_then_key_frames(make: Make) -> None:
    wearable = make(bytes_per_s=2500.0)
    wearable.listen(lease_ms=10_000)
    for _ in range(3):  # long enough for some whatever the noise is
        wearable.run(8.0)
        assert "err" not in wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 10_000}, Op.WRITE)
    sequences = [sequence for sequence, _ in wearable.telemetry]
    gaps = sum(after - before - 1 for before, after in pairwise(sequences))
    dropped = wearable.ask(Command.COUNTERS)["counters"]["telemetry_dropped"]
    assert gaps > 10
    assert 0 <= dropped - gaps <= 60
    pages = blocks([record for _, record in wearable.telemetry], CAMERA)
    assert sum(codec.decode(page.data, page.index).key for page in pages) >= 4


def test_a_correction_is_checked_used_kept_and_rolled_back(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    first = replace(PixelCorrection.identity(Stamp(identity(wearable))), offset=np.full((24, 32), 0.5, np.float32))
    second = replace(first, offset=np.full((24, 32), -0.5, np.float32))
    others = to_bytes(PixelCorrection.identity(Stamp(b"others")))
    assert write(wearable, others)["err"]["rc"] == GroupError.WRONG_SENSOR
    assert "6f7468657273 and skin is" in wearable.ask(Command.REFUSAL)["reason"]
    assert write(wearable, to_bytes(first)[:-1] + b"\0")["err"]["rc"] == GroupError.DAMAGED
    wild = replace(first, offset=np.full((24, 32), 5.0, np.float32))
    assert write(wearable, to_bytes(wild))["err"]["rc"] == GroupError.IMPLAUSIBLE
    assert write(wearable, to_bytes(first), sensor=SPOTS)["err"]["rc"] == GroupError.DAMAGED
    assert write(wearable, to_bytes(first), sensor=9)["err"]["rc"] == GroupError.NO_SENSOR
    assert not hello(wearable).sensors[CAMERA].corrected
    for correction in (first, second):
        assert write(wearable, to_bytes(correction)) == {"off": len(to_bytes(correction))}
    assert read(wearable, Command.CORRECTION, slot=0) == to_bytes(second)
    assert read(wearable, Command.CORRECTION, slot=1) == to_bytes(first)
    assert wearable.ask(5, {}, Op.WRITE, group=0) == {}
    wearable.run(0.5)
    assert hello(wearable).sensors[CAMERA].corrected
    assert wearable.ask(Command.COUNTERS)["counters"]["resets"] == 1
    assert wearable.ask(Command.ROLLBACK, {"sensor": CAMERA}, Op.WRITE) == {}
    assert read(wearable, Command.CORRECTION, slot=0) == to_bytes(first)
    assert wearable.ask(Command.ROLLBACK, {"sensor": SPOTS}, Op.WRITE)["err"]["rc"] == GroupError.NO_CORRECTION


def test_the_self_test_finds_what_is_wrong(make: Make) -> None:
    results = self_test(make())
    assert len(results) == 13
    assert all(one.passed for one in results.values()), results
    wearable = make()
    wearable.run(0.5)
    wearable.hardware.bus.unplug()
    failed = {name for name, one in self_test(wearable).items() if not one.passed}
    assert {"skin: EEPROM", "skin: sensor answers", "skin: refresh rate"} <= failed
    assert "model lesion" not in failed
    assert sum(name.startswith("spots: thermistor") for name in failed) == 4


def test_words_that_no_sensor_holds_are_told(make: Make) -> None:
    wearable = make()
    wearable.hardware.chip.cells.words[0x31] ^= 0x0400
    wearable.listen()
    found = wearable.run(5.0)
    assert blocks(found, CAMERA)
    assert all(one.flags & Quality.SUSPECT for one in of(FindingRecord, found))
    events = of(EventRecord, [record for _, record in wearable.telemetry])
    told = {event.code: event for event in events}
    assert told[FAULTS["constants_doubtful"].code].sensor == CAMERA
    assert "0x2431" in hello(wearable).sensors[CAMERA].warning
    constants = self_test(wearable)["skin: constants"]
    assert not constants.passed
    assert "0x2431" in constants.detail


def test_the_rate_is_set_and_refused_as_by_the_agent(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    answer = wearable.ask(Command.RATE, {"rate_hz": 4.0, "sensor": CAMERA}, Op.WRITE)
    assert answer == {"rate_hz": 4.0, "sensor": CAMERA}
    pages = subpages(wearable.run(4.0))
    assert np.median(np.diff([page.time_us for page in pages])) == pytest.approx(250_000, rel=0.1)
    refused = wearable.ask(Command.RATE, {"rate_hz": 7.0}, Op.WRITE)
    assert refused["err"] == {"group": 65, "rc": GroupError.BAD_RATE}
    assert "0.5, 1, 2, 4, 8, 16, 32, 64" in wearable.ask(Command.REFUSAL)["reason"]
    assert wearable.ask(Command.RATE, {"rate_hz": 4.0, "sensor": SPOTS}, Op.WRITE)["err"]["rc"] == GroupError.BAD_RATE
    events = of(EventRecord, [record for _, record in wearable.telemetry])
    assert [(event.code, event.count) for event in events] == [(100, 1), (100, 2)]
    wearable.ask(Command.RATE, {"rate_hz": 7.0}, Op.WRITE)
    assert of(EventRecord, [record for _, record in wearable.telemetry])[-1].count == 3


def test_refusals_while_nobody_listens_are_told_by_the_last_and_their_number(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    for body in ({"rate_hz": 7.0}, {"rate_hz": 9.0}):
        assert "err" in wearable.ask(Command.RATE, body, Op.WRITE)
    wearable.listen()
    wearable.run(0.2)
    (event,) = of(EventRecord, [record for _, record in wearable.telemetry])
    assert (event.code, event.count, event.sensor) == (100, 2, None)
    assert "9.00 Hz" in event.text


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("nack@40", 1),
        ("stuck@40", 2),
        ("short@41", 3),
        ("unplug@60+700ms", 20),
        ("flip:p=0.05", None),
        ("nack:p=0.05", 1),
    ],
)
def test_bus_faults_are_counted_told_and_overcome(make: Make, fault: str, code: int | None) -> None:
    wearable = make(faults=fault)
    wearable.listen(lease_ms=10_000)
    found = wearable.run(6.0)
    pages = subpages(found)
    counters = wearable.ask(Command.COUNTERS)["counters"]
    lost = counters.get("blocks_lost", 0)
    settling = counters.get("pages_settling", 0)
    captured = counters["blocks_captured"] - len(blocks([record for _, record in wearable.telemetry], SPOTS))
    assert pages
    assert abs(pages[-1].index + 1 - (captured + lost + settling)) <= 1
    assert wearable.hardware.clock.now_us() - pages[-1].time_us < 500_000
    told = {event.code for event in of(EventRecord, found)}
    assert told <= set(range(1, 100))
    assert code is None or code in told


def test_a_sensor_that_comes_late_is_taken(make: Make) -> None:
    wearable = make()
    wearable.hardware.bus.unplug()
    wearable.run(2.0)
    assert identity(wearable) == b""
    assert "does not acknowledge" in hello(wearable).sensors[CAMERA].fault
    refused = wearable.ask(Command.CONSTANTS)
    assert refused["err"]["rc"] == GroupError.NO_SENSOR
    assert "does not acknowledge" in wearable.ask(Command.REFUSAL)["reason"]
    wearable.hardware.bus.plug()
    wearable.listen(lease_ms=10_000)
    assert blocks(wearable.run(3.0), CAMERA)
    assert identity(wearable) != b""


def test_clock_records_count_what_was_captured(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    clocks = of(ClockRecord, found)
    assert len(clocks) in (4, 5, 6)
    assert clocks[-1].captured == len(of(Block, found[: found.index(clocks[-1])]))


def test_alerts_stand_where_a_host_that_comes_is_told(make: Make) -> None:
    wearable = make()
    wearable.listen()
    wearable.run(0.2)
    told = of(AlertRecord, [record for _, record in wearable.telemetry])
    assert [(one.change.alert, one.change.state) for one in told] == [(0, 0)]
    answer = message(Alerts, wearable.ask(Command.ALERTS))
    assert [one.state for one in answer.alerts] == [0]
    assert wearable.ask(Command.ALERTS, {"alert": 0}, Op.WRITE)["alerts"] == [{"state": 0, "time_us": 0}]
    assert wearable.ask(Command.ALERTS, {"alert": 1}, Op.WRITE)["err"]["rc"] == GroupError.NO_SUCH


def test_only_what_comes_from_outside_is_fed(make: Make) -> None:
    wearable = make()
    wearable.listen()
    refused = wearable.ask(Command.FEED, {"sensor": SPOTS, "values": b"\0" * 16}, Op.WRITE)
    assert refused["err"]["rc"] == GroupError.NO_SENSOR
    assert "spots is a chip" in wearable.ask(Command.REFUSAL)["reason"]


def test_it_fits_the_budget(breast_patch_library: ctypes.CDLL) -> None:
    assert breast_patch_library.harness_state_bytes() < MOST_BYTES


def stream(wearable: FirmwareWearable, seconds: int) -> list[Record]:
    """What a host that renews its lease hears."""
    heard: list[Record] = []
    for _ in range(0, seconds, 4):
        wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 10_000}, Op.WRITE)
        heard += wearable.run(4.0)
    return heard


@pytest.mark.parametrize("rate_hz", [1.0, 4.0, 32.0])
def test_findings_at_another_rate_are_those_core_makes_of_the_same_blocks(make: Make, rate_hz: float) -> None:
    """A camera that is slower than its profile says is none with gaps, while it streams and for the next host."""
    wearable = make()
    seconds = 8 + round(50 / rate_hz)
    wearable.listen(lease_ms=10_000)
    wearable.run(2.0)
    wearable.ask(Command.RATE, {"rate_hz": rate_hz, "sensor": CAMERA}, Op.WRITE)
    assert len(of(FindingRecord, stream(wearable, seconds))) >= 7
    wearable.run(15.0)  # the lease runs out, and the sensors rest
    wearable.listen(lease_ms=10_000)
    found = stream(wearable, seconds)
    engine = engine_for(wearable, rates_hz=[rate_hz])
    wanted = {said.finding.time_us: said.finding for block in of(Block, found) for said in engine.push(block).said}
    ours = {one.time_us: one for one in of(FindingRecord, found)}
    assert len(wanted) >= 7
    assert set(ours) == set(wanted)
    for time_us, finding in wanted.items():
        assert ours[time_us].flags == finding.flags
        assert ours[time_us].values == pytest.approx(finding.values, abs=2 / 256)
