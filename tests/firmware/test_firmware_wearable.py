"""The firmware's whole main loop on simulated sensors in simulated time; the host's and the agent's code judge what it says."""

import ctypes
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from firmware_library import FIRMWARE, build
from firmware_wearable import FirmwareWearable
from thermo_core.correction import Correction
from thermo_core.profile import NOTICE, Alert, Profile
from unfit import FIT, UNFIT

from thermo_core.bundle import Bundle
from thermo_core.clock import Clock
from thermo_core.image import Version, load_public_key, parse, sign
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.version import software_version
from thermo_core.wire.management import GroupError, Hello, SelfTest
from thermo_core.wire.records import ClockRecord, EventRecord, Record, SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_core.wire.smp import Op
from thermo_device.counters import FAULTS, Counters
from thermo_device.inference import Classifier
from thermo_device.verdicts import VerdictMaker
from thermo_quantize import flatfile
from thermo_quantize.firmware import generate
from thermo_quantize.sign import check_verdicts
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.keys import DEVELOPMENT_PUBLIC_KEY

BUNDLE = Path(__file__).resolve().parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"
MOST_BYTES = 54_000
"""Of RAM for all state but the network's arena, the stack and the rings of the line."""
Make = Callable[..., FirmwareWearable]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole core with the shipped bundle's profile and network."""
    folder = tmp_path_factory.mktemp("wearable")
    key = load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    for name, text in generate(BUNDLE.read_bytes(), key).files.items():
        (folder / name).write_text(text)
    modules = [path.stem for path in (FIRMWARE / "core").glob("*.c")]
    return build(folder, "wearable", modules, *sorted(folder.glob("*.c")))


@pytest.fixture
def make(library: ctypes.CDLL) -> Make:
    """A wearable on hardware of its own: `make(seed=3, faults="nack@7", bytes_per_s=...)`."""

    def made(seed: int = 6, faults: str = "", **options: Any) -> FirmwareWearable:
        hardware = SimulatedHardware.from_profile(seed=seed, bus_hz=1_000_000, faults=faults, warm_up_tau_s=0)
        return FirmwareWearable(library, hardware, **options)

    return made


def of(kind: type, found: list[Record]) -> list[Any]:
    """Records of one kind."""
    return [record for record in found if isinstance(record, kind)]


def subpages(found: list[Record]) -> list[Subpage]:
    """Subpages unpacked as a host does it."""
    decoder = CountsDecoder()
    return [Subpage(decoder.decode(one.packed), one.index, one.time_us) for one in of(SubpageRecord, found)]


def identity(wearable: FirmwareWearable) -> bytes:
    return Hello.from_map(wearable.ask(0)).sensors[0].id


def write(wearable: FirmwareWearable, blob: bytes) -> dict[str, Any]:
    """Send a calibration in parts; the last answer."""
    answer: dict[str, Any] = {}
    for at in range(0, len(blob), 384):
        answer = wearable.ask(3, {"off": at, "len": len(blob), "data": blob[at : at + 384]}, Op.WRITE)
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
    wearable.run(0.5)
    hello = Hello.from_map(wearable.ask(0))
    words = wearable.hardware.chip.cells.words
    assert hello.sensors[0].id == words[7:10].astype(">u2").tobytes()
    assert read(wearable, 2) == words.astype("<u2").tobytes()
    bundle = parse(BUNDLE.read_bytes())
    profile = Bundle.from_payload(bundle.payload).profile
    assert hello.labels == profile.labels and hello.notice == NOTICE
    assert hello.software == software_version()
    assert Profile.from_dict(cbor2.loads(read(wearable, 9))) == profile
    assert hello.model == str(bundle.version) and hello.simulated and not hello.calibrated
    assert hello.sensors[1].channels == tuple(channel.name for channel in profile.thermistors.channels)


def test_a_mean_beyond_the_firmwares_room_is_said_and_gives_no_verdict(library: ctypes.CDLL, make: Make) -> None:
    library.harness_average(17)
    try:
        wearable = make()
        wearable.listen()
        wearable.run(6.0)
        found = [record for _, record in wearable.telemetry]
        assert of(SubpageRecord, found) and not of(VerdictRecord, found)
        assert any("averages more pictures" in event.text for event in of(EventRecord, found))
        results = {result.name: result for result in SelfTest.from_map(wearable.ask(5, op=Op.WRITE)).results}
        assert not results["model"].passed and "averages more pictures" in results["model"].detail
        assert not wearable.ask(6)["counters"].get("undecodable")
    finally:
        library.harness_average(0)


def test_the_os_group_names_the_boards_processor(make: Make) -> None:
    answer = make().ask(7, {"format": "pm"}, group=0)
    assert answer["output"] == "test harness harness-isa"


def test_nothing_is_sent_without_a_lease_and_nothing_after_it(make: Make) -> None:
    wearable = make()
    assert wearable.run(1.0) == []
    wearable.listen(lease_ms=1000)
    found = wearable.run(3.0)
    assert of(SubpageRecord, found)
    assert max(record.time_us for record in found) < found[0].time_us + 1_200_000
    assert wearable.ask(6)["counters"]["leases_expired"] == 1
    refused = wearable.ask(1, {"op": 2, "lease_ms": 1000}, Op.WRITE)
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


def judge(bundle: Bundle, words: np.ndarray[Any, Any], correction: Correction | None, clock: Clock) -> VerdictMaker:
    """The agent's way from subpages to verdicts."""
    calibration = Constants.from_eeprom(words)
    return VerdictMaker(
        bundle.profile, Classifier(bundle), calibration, correction, clock, Counters(), True, Version(1)
    )


@pytest.mark.parametrize("calibrated", [False, True])
def test_verdicts_are_those_the_agent_gives_for_the_same_pages(make: Make, calibrated: bool) -> None:
    wearable = make()
    bundle = Bundle.from_payload(parse(BUNDLE.read_bytes()).payload)
    correction = None
    if calibrated:
        rng = np.random.default_rng(5)
        wearable.run(0.5)
        correction = replace(
            Correction.identity(identity(wearable)),
            offset=rng.normal(0, 0.4, (24, 32)).astype(np.float32),
            gain=rng.normal(1, 0.01, (24, 32)).astype(np.float32),
            ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
            bad=rng.random((24, 32)) < 0.01,
        )
        assert "err" not in write(wearable, correction.to_bytes())
    wearable.listen(lease_ms=10_000)
    found = wearable.run(9.0)
    theirs = judge(bundle, wearable.hardware.chip.cells.words, correction, wearable.hardware.clock)
    wanted = {}
    for page in subpages(found):
        verdict = theirs.push(page)
        if verdict is not None:
            wanted[verdict.index] = verdict
    ours = of(VerdictRecord, found)
    assert len(ours) > 30 and {one.index for one in ours} == set(wanted)
    off = []
    for one in ours:
        other = wanted[one.index]
        assert (one.pictures, one.uncalibrated, one.simulated) == (16, not calibrated, True)
        off.append(max(abs(a - b) for a, b in zip(one.scores, other.scores, strict=True)))
    # Single precision moves a few inputs by one step, and a score by few of its own.
    assert np.mean(off) < 2 / 256 and max(off) < 8 / 256


@pytest.mark.parametrize(("harm", "counter"), UNFIT.values(), ids=UNFIT)
def test_pictures_that_are_none_get_no_verdict(make: Make, harm: Callable[..., None], counter: str) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    assert len(of(SubpageRecord, found)) > 30 and not of(VerdictRecord, found)
    assert wearable.ask(6)["counters"][counter] >= 15
    assert FAULTS[counter].code in {event.code for event in of(EventRecord, found)}


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_verdict(make: Make, harm: Callable[..., None]) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    assert of(VerdictRecord, wearable.run(5.0))


def test_thermistors_read_what_the_bath_has(make: Make) -> None:
    wearable = make()
    wearable.hardware.set_thermistors(36.5)
    wearable.listen()
    scans = of(ThermistorRecord, wearable.run(2.0))
    assert len(scans) >= 3
    # The simulated thermistors differ from the profile's curve as real ones do.
    assert all(abs(channel.celsius - 36.5) < 0.6 for scan in scans for channel in scan.channels)


def test_a_full_line_costs_records_that_are_counted_and_then_key_frames(make: Make) -> None:
    wearable = make(bytes_per_s=2500.0)
    wearable.listen(lease_ms=10_000)
    wearable.run(8.0)
    sequences = [sequence for sequence, _ in wearable.telemetry]
    gaps = sum(after - before - 1 for before, after in pairwise(sequences))
    dropped = wearable.ask(6)["counters"]["telemetry_dropped"]
    assert gaps > 10 and 0 <= dropped - gaps <= 60
    pages = of(SubpageRecord, [record for _, record in wearable.telemetry])
    assert sum(page.packed.key for page in pages) > 4


def test_a_calibration_is_checked_used_kept_and_rolled_back(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    first = replace(Correction.identity(identity(wearable)), offset=np.full((24, 32), 0.5, np.float32))
    second = replace(first, offset=np.full((24, 32), -0.5, np.float32))
    assert write(wearable, Correction.identity(b"others").to_bytes())["err"]["rc"] == GroupError.WRONG_SENSOR
    assert write(wearable, first.to_bytes()[:-1] + b"\0")["err"]["rc"] == GroupError.DAMAGED
    assert not Hello.from_map(wearable.ask(0)).calibrated
    for blob in (first.to_bytes(), second.to_bytes()):
        assert write(wearable, blob) == {"off": len(blob)}
    assert read(wearable, 3, slot=0) == second.to_bytes() and read(wearable, 3, slot=1) == first.to_bytes()
    assert wearable.ask(5, {}, Op.WRITE, group=0) == {}
    wearable.run(0.5)
    assert Hello.from_map(wearable.ask(0)).calibrated and wearable.ask(6)["counters"]["resets"] == 1
    assert wearable.ask(4, {}, Op.WRITE) == {}
    assert read(wearable, 3, slot=0) == first.to_bytes()


def test_the_self_test_finds_what_is_wrong(make: Make) -> None:
    results = {one.name: one for one in SelfTest.from_map(make().ask(5, {}, Op.WRITE)).results}
    assert len(results) == 13 and all(one.passed for one in results.values()), results
    wearable = make()
    wearable.run(0.5)
    wearable.hardware.bus.unplug()
    failed = {one.name for one in SelfTest.from_map(wearable.ask(5, {}, Op.WRITE)).results if not one.passed}
    assert {"EEPROM", "sensor answers", "refresh rate"} <= failed and "model" not in failed
    assert sum(name.startswith("thermistor") for name in failed) == 4


def test_words_that_no_sensor_holds_are_told(make: Make) -> None:
    wearable = make()
    wearable.hardware.chip.cells.words[0x31] ^= 0x0400
    wearable.listen()
    found = wearable.run(2.0)
    assert of(SubpageRecord, found)
    events = of(EventRecord, [record for _, record in wearable.telemetry])
    assert FAULTS["eeprom_doubtful"].code in {event.code for event in events}
    results = {one.name: one for one in SelfTest.from_map(wearable.ask(5, {}, Op.WRITE)).results}
    assert not results["constants"].passed and "0x2431" in results["constants"].detail


def test_the_rate_is_set_and_refused_as_by_the_agent(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    assert wearable.ask(7, {"rate_hz": 4.0}, Op.WRITE) == {"rate_hz": 4.0}
    pages = subpages(wearable.run(4.0))
    assert np.median(np.diff([page.time_us for page in pages])) == pytest.approx(250_000, rel=0.1)
    refused = wearable.ask(7, {"rate_hz": 7.0}, Op.WRITE)
    assert refused["err"] == {"group": 65, "rc": GroupError.BAD_RATE}
    assert "0.5, 1, 2, 4, 8, 16, 32, 64" in wearable.ask(8)["reason"]
    events = of(EventRecord, [record for _, record in wearable.telemetry])
    assert [(event.code, event.count) for event in events] == [(100, 1)]
    wearable.ask(7, {"rate_hz": 7.0}, Op.WRITE)
    assert of(EventRecord, [record for _, record in wearable.telemetry])[-1].count == 2


def test_refusals_while_nobody_listens_are_told_by_the_last_and_their_number(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    for body in ({"rate_hz": 7.0}, {"rate_hz": 9.0}):
        assert "err" in wearable.ask(7, body, Op.WRITE)
    wearable.listen()
    wearable.run(0.2)
    (event,) = of(EventRecord, [record for _, record in wearable.telemetry])
    assert (event.code, event.count) == (100, 2) and "9.00 Hz" in event.text


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
    counters = wearable.ask(6)["counters"]
    lost = counters.get("subpages_lost", 0)
    settling = counters.get("pages_settling", 0)
    assert pages and pages[-1].index + 1 == counters["subpages_captured"] + lost + settling
    assert wearable.hardware.clock.now_us() - pages[-1].time_us < 500_000
    told = {event.code for event in of(EventRecord, found)}
    assert told <= set(range(1, 100)) and (code is None or code in told)


def test_a_sensor_that_comes_late_is_taken(make: Make) -> None:
    wearable = make()
    wearable.hardware.bus.unplug()
    wearable.run(2.0)
    assert Hello.from_map(wearable.ask(0)).sensors[0].id == b""
    refused = wearable.ask(2)
    assert refused["err"]["rc"] == GroupError.NO_SENSOR and "does not acknowledge" in wearable.ask(8)["reason"]
    wearable.hardware.bus.plug()
    wearable.listen(lease_ms=10_000)
    assert of(SubpageRecord, wearable.run(3.0)) and identity(wearable) != b""


def test_clock_records_count_what_was_captured(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    clocks = of(ClockRecord, found)
    assert len(clocks) in (4, 5, 6)
    assert clocks[-1].captured == len(of(SubpageRecord, found[: found.index(clocks[-1])]))


def test_it_fits_the_budget(library: ctypes.CDLL) -> None:
    assert library.harness_state_bytes() < MOST_BYTES


def sigmoids(data: bytes) -> bytes:
    """The shipped network with a sigmoid an output in place of its softmax, which has the same scale."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs the train extra's schema")
    tree = flatfile.unpack(data)
    last = tree.subgraphs[0].operators[-1]
    code = tree.operatorCodes[last.opcodeIndex]
    assert code.builtinCode == schema.BuiltinOperator.SOFTMAX
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOGISTIC
    last.builtinOptions, last.builtinOptionsType = None, schema.BuiltinOptions.NONE
    return flatfile.pack(tree)


def test_a_verdict_that_none_of_the_labels_holds_is_the_agents_too(tmp_path: Path) -> None:
    """Two sigmoids and three labels, the first for neither: the whole way on both, with an alert on that first label."""
    shipped = Bundle.from_payload(parse(BUNDLE.read_bytes()).payload)
    labels = ("neither", *shipped.profile.labels)
    profile = replace(shipped.profile, labels=labels, alert=Alert(0, 0.5, 1))
    bundle = replace(shipped, profile=profile, model=sigmoids(shipped.model))
    check_verdicts(bundle)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    for name, text in generate(sign(bundle.to_payload(), Version(2), key), key.public_key()).files.items():
        (tmp_path / name).write_text(text)
    modules = [path.stem for path in (FIRMWARE / "core").glob("*.c")]
    library = build(tmp_path, "wearable", modules, *sorted(tmp_path.glob("*.c")))
    hardware = SimulatedHardware.from_profile(seed=6, bus_hz=1_000_000, warm_up_tau_s=0)
    wearable = FirmwareWearable(library, hardware)
    assert Hello.from_map(wearable.ask(0)).labels == labels
    wearable.listen(lease_ms=10_000)
    found = wearable.run(9.0)
    theirs = judge(bundle, hardware.chip.cells.words, None, hardware.clock)
    wanted = {one.index: one for page in subpages(found) if (one := theirs.push(page)) is not None}
    ours = of(VerdictRecord, found)
    assert len(ours) > 30 and {one.index for one in ours} == set(wanted)
    for one in ours:
        other = wanted[one.index]
        assert len(one.scores) == 3 and one.scores[0] == pytest.approx(1 - max(one.scores[1:]), abs=1e-4)
        assert max(abs(a - b) for a, b in zip(one.scores, other.scores, strict=True)) < 8 / 256
        if abs(one.scores[0] - 0.5) > 10 / 256:  # further from even than single precision could move it
            assert one.alert == other.alert == (one.scores[0] >= 0.5)
            assert (one.label == 0) == (other.label == 0) == (one.scores[0] > 0.5)
    assert all(result.passed for result in SelfTest.from_map(wearable.ask(5, {}, Op.WRITE)).results)
