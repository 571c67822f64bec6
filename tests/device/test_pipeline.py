"""The pipeline from a simulated bus to records, in simulated time; the core's own reading of the blocks is the judge."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest
from bundles import breast_patch
from msgspec.structs import replace as changed
from unfit import FIT, UNFIT

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.engine import Engine
from thermo_core.graph.rates import plan_at
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Correction, Stamp
from thermo_core.sensors.kind import Block, Moment, SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.signals import Values
from thermo_core.stages.average import Average
from thermo_core.stages.centre import Centre
from thermo_core.stages.scale import Scale
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Alert, Duration, Profile
from thermo_core.wire import records as wire
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, FindingRecord, Record, SignalRecord
from thermo_core.wire.table import OutputKind, Severity
from thermo_device.background import Background
from thermo_device.bare import DEFAULT
from thermo_device.bundled import Bundled
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import BACKLOG, Pipeline
from thermo_sim.chips.ads1115_ntc.ntc import Wiring
from thermo_sim.hardware import SimulatedHardware

RATE_HZ = 16.0
SKIN, SPOTS = 0, 1
Kind = TypeVar("Kind")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The breast patch's network behind a mean of three pictures, with scores that vary, and no alert."""
    shipped = breast_patch()
    stages = (
        Average(of="skin", gives="calm", pictures=3),
        Centre(of="calm", gives="centred", by="median"),
        Scale(of="centred", gives="above", factor=0.3),
    )
    return changed(shipped, profile=changed(shipped.profile, stages=stages, alerts=()))


class Patch:
    """A pipeline on simulated hardware, and what it said."""

    def __init__(
        self,
        bundle: Bundle | None = None,
        profile: Profile | None = None,
        corrections: dict[int, Correction] | None = None,
        rate_hz: float = RATE_HZ,
        faults: str = "",
        inline: bool = True,
        kernels: str = "reference",
        seed: int = 6,
    ) -> None:
        self.simulated = SimulatedHardware.from_profile(seed=seed, bus_hz=1_000_000, faults=faults, warm_up_tau_s=0)
        hardware = Hardware(self.simulated.bus, self.simulated.clock, "patch", "0001", simulated=True)
        base = profile if profile is not None else bundle.profile if bundle is not None else DEFAULT
        skin, *others = base.sensors
        self.profile = changed(base, sensors=(changed(skin, rate_hz=rate_hz), *others))
        self.pipeline = Pipeline(
            hardware,
            self.profile,
            None if bundle is None else Bundled(bundle.networks, 0x04030201),
            corrections,
            kernels=kernels,
            inline=inline,
        )
        self.records: list[Record] = []

    def run(self, seconds: float) -> list[Record]:
        """Step for some simulated time; the records of that time."""
        before = len(self.records)
        end_us = self.simulated.clock.now_us() + round(seconds * 1e6)
        while self.simulated.clock.now_us() < end_us:
            records = self.pipeline.step()
            for record in records:
                wire.encode(record, len(self.records))
            self.records += records
        return self.records[before:]

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.records if isinstance(record, kind)]

    def blocks(self, sensor: int = SKIN, among: list[Record] | None = None) -> list[Block]:
        found = self.records if among is None else among
        return [record for record in found if isinstance(record, Block) and record.sensor == sensor]

    def moments(self, sensor: int = SKIN, correction: Correction | None = None) -> list[Moment]:
        """What a host reads out of the blocks."""
        settings, found = self.profile.sensors[sensor], self.pipeline.found(sensor)
        assert found is not None
        reader = KINDS[settings.kind].reader(settings, found.constants, correction)
        return [moment for block in self.blocks(sensor) for moment in reader.push(block)]

    def identity(self, sensor: int = SKIN) -> bytes:
        found = self.pipeline.found(sensor)
        assert found is not None
        return found.identity


def findings(records: list[Record]) -> list[FindingRecord]:
    return [record for record in records if isinstance(record, FindingRecord)]


def events(records: list[Record], name: str) -> list[EventRecord]:
    return [record for record in records if isinstance(record, EventRecord) and record.code == FAULTS[name].code]


def test_what_is_sent_decodes_to_the_scene() -> None:
    patch = Patch()
    patch.pipeline.start()
    patch.run(3.0)
    assert 35 <= len(patch.blocks()) <= 40
    picture = patch.moments()[-1]["skin"]
    scene = patch.simulated.scene.celsius(picture.time_us / 1e6)
    assert np.abs(np.median(picture.values) - np.median(scene)) < 1.0
    assert len(patch.identity()) == 6
    assert patch.pipeline.fault(SKIN) == ""


def test_thermistors_and_clock_come_at_their_rates_and_pictures_are_not_late_for_them() -> None:
    patch = Patch(rate_hz=64)
    patch.pipeline.start()
    patch.run(5.0)
    scans = patch.moments(SPOTS)
    assert 9 <= len(scans) <= 11
    assert scans[-1]["spots"].values == pytest.approx(33.5, abs=1.0)
    clocks = patch.of(ClockRecord)
    assert len(clocks) in (5, 6)
    assert clocks[-1].unix_us == 0, "a simulated device does not know the time of day"
    before = patch.records[: patch.records.index(clocks[-1])]
    assert clocks[-1].captured == len([record for record in before if isinstance(record, Block)]) > 200
    assert clocks[-1].lost == 0
    assert patch.pipeline.counters.get("blocks_lost") == 0


def engine_of(patch: Patch, bundle: Bundle, rates_hz: Sequence[float] = ()) -> Engine:
    """A host's engine over the same wearable, whose sensors are set to these rates."""
    networks = {name: Int8Network(data) for name, data in bundle.networks.items()}
    engine = Engine(plan_at(patch.profile, rates_hz), networks, int(Quality.SIMULATED))
    for sensor in range(len(patch.profile.sensors)):
        found = patch.pipeline.found(sensor)
        assert found is not None
        constants = SensorConstants(found.sighting.number, found.constants)
        engine.open(sensor, constants, None)
    return engine


def test_findings_are_those_of_the_host_s_own_path(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.pipeline.start()
    patch.run(3.0)
    said = patch.of(FindingRecord)
    assert len(said) >= 10
    assert len({one.values for one in said}) > 1
    engine = engine_of(patch, bundle)
    blocks = [record for record in patch.records if isinstance(record, Block)]
    expected = [(block, one) for block in blocks for one in engine.push(block).said]
    assert len(expected) == len(said)
    for one, (block, wanted) in zip(said, expected, strict=True):
        assert (one.time_us, one.model, one.values) == (block.time_us, 0, wanted.finding.values)
        assert one.flags == wanted.finding.flags == Quality.SIMULATED | Quality.UNCALIBRATED
        assert one.newest == ((SKIN, block.index),)
        assert one.bundle == 0x04030201
        assert one.kind is OutputKind.SCORES
        assert 15_000 < one.latency_us < 30_000
    assert not patch.pipeline.corrected(SKIN)
    assert patch.pipeline.counters.get("findings") == len(said)


def test_concluding_beside_the_acquisition_gives_the_same_findings(bundle: Bundle) -> None:
    inline, beside = Patch(bundle), Patch(bundle, inline=False)
    inline.run(2.0)
    while beside.simulated.clock.now_us() < inline.simulated.clock.now_us():
        beside.records += beside.pipeline.step()
        settle(beside)
    beside.records += beside.pipeline.step()
    beside.pipeline.close()
    first = [(one.newest, one.values) for one in inline.of(FindingRecord)]
    second = [(one.newest, one.values) for one in beside.of(FindingRecord)]
    assert len(first) > 5
    assert second[: len(first)] == first


def settle(patch: Patch) -> None:
    """Wait until all that was captured is concluded."""
    done = threading.Event()
    while not patch.pipeline._concluder._background.submit(done.set, source=99):
        time.sleep(0.001)
    assert done.wait(20)


def test_a_busy_network_skips_blocks_and_counts_them_but_streams_all_of_them(bundle: Bundle) -> None:
    patch = Patch(bundle, inline=False)
    patch.run(1.0)
    settle(patch)
    free, begun = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        free.wait(20)

    assert patch.pipeline._concluder._background.submit(busy, source=99)
    assert begun.wait(20)
    before = len(patch.blocks())
    records = patch.run(2.0)
    assert len(patch.blocks(among=records)) >= 30
    assert not findings(records[-10:])
    assert patch.pipeline.counters.by_sensor()["blocks_skipped", SKIN] >= 25
    assert ("blocks_skipped", SPOTS) not in patch.pipeline.counters.by_sensor(), "each sensor has room of its own"
    indices = [block.index for block in patch.blocks()]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    assert before > 0
    free.set()
    patch.pipeline.close()


def test_work_beside_is_done_in_order_and_none_after_the_end() -> None:
    background: Background[int] = Background(capacity=100)
    results = []
    for n in range(50):
        assert background.submit(partial(lambda n: n if n % 2 else None, n))
    done = threading.Event()
    background.submit(done.set)
    assert done.wait(20)
    results += background.results()
    assert results == list(range(1, 50, 2))
    background.close()
    assert not background.submit(lambda: 1)
    assert background.results() == []


def correction_of(patch: Patch, offset: float = 3.0) -> PixelCorrection:
    identity = PixelCorrection.identity(Stamp(patch.identity()))
    return replace(identity, offset=np.full((24, 32), offset, np.float32))


def test_a_correction_changes_findings_and_their_flag_from_the_next_picture_on(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    rng = np.random.default_rng(0)
    slanted = replace(correction_of(patch), offset=rng.normal(0, 3, (24, 32)).astype(np.float32))
    before = patch.of(FindingRecord)[-1]
    patch.pipeline.set_correction(SKIN, slanted)
    assert patch.pipeline.corrected(SKIN) and not patch.pipeline.corrected(SPOTS)
    after = findings(patch.run(2.0))[-1]
    assert before.flags & Quality.UNCALIBRATED and not after.flags & Quality.UNCALIBRATED
    assert before.values != after.values
    patch.pipeline.set_correction(SKIN, PixelCorrection.identity(Stamp(patch.identity())))
    last = findings(patch.run(2.0))[-1]
    assert last.flags & Quality.UNCALIBRATED
    assert not patch.pipeline.corrected(SKIN)


def test_a_correction_of_another_sensor_is_not_used(bundle: Bundle) -> None:
    other = replace(PixelCorrection.identity(Stamp(b"other!")), offset=np.ones((24, 32), np.float32))
    patch = Patch(bundle, corrections={SKIN: other})
    patch.run(2.0)
    assert patch.of(FindingRecord)[-1].flags & Quality.UNCALIBRATED
    assert not patch.pipeline.corrected(SKIN)
    (event,) = patch.of(EventRecord)
    assert (event.code, event.sensor) == (FAULTS["correction_mismatch"].code, SKIN)
    assert event.severity is Severity.ERROR


def test_a_correction_of_other_constants_is_not_used(bundle: Bundle) -> None:
    first = Patch(bundle)
    first.run(1.0)
    found = first.pipeline.found(SKIN)
    assert found is not None
    made = correction_of(first)
    for crc, usable in ((found.sighting.fingerprint, True), (found.sighting.fingerprint ^ 1, False), (0, True)):
        held = replace(made, stamp=replace(made.stamp, constants_crc32=crc))
        patch = Patch(bundle, corrections={SKIN: held})
        patch.run(1.0)
        assert patch.pipeline.corrected(SKIN) == usable
        assert bool(events(patch.records, "correction_mismatch")) != usable


def test_calibrated_thermistors_use_their_own_curves() -> None:
    patch = Patch()
    patch.run(1.0)
    spots: Any = patch.simulated.chips["spots"]
    curves = tuple(SteinhartHart(ntc.a, ntc.b, ntc.c) for ntc in spots.ntcs)
    correction = CurveCorrection(curves, Stamp(patch.identity(SPOTS)))
    patch.pipeline.set_correction(SPOTS, correction)
    patch.run(2.0)
    assert patch.pipeline.corrected(SPOTS)
    assert patch.moments(SPOTS, correction)[-1]["spots"].values == pytest.approx(33.5, abs=0.15)


def test_a_chip_without_identity_is_known_by_its_place_in_this_device() -> None:
    one, same = Patch(), Patch()
    for patch in (one, same):
        patch.run(1.0)
    assert one.identity(SPOTS) == same.identity(SPOTS)
    assert len(one.identity(SPOTS)) == 8


def test_an_alert_needs_as_many_findings_in_a_row_as_the_profile_says(bundle: Bundle) -> None:
    plain = Patch(bundle)
    plain.run(4.0)
    said = plain.of(FindingRecord)
    threshold = float(np.median([one.values[1] for one in said]))
    for many in (1, 2, 3):
        alert = Alert(name="warm", when=f"lesion.lesion >= {threshold:.9f}", after=Duration(findings=many))
        patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
        patch.run(4.0)
        machine = AlertMachine(patch.pipeline.plan.alerts[0], 0)
        expected = [change for one in said if (change := machine.push(one.values[1], one.flags, one.time_us))]
        assert [record.change for record in patch.of(AlertRecord)] == expected
        assert any(change.state is AlertState.RAISED for change in expected)


def test_a_host_that_begins_to_listen_hears_where_alerts_stand(bundle: Bundle) -> None:
    alert = Alert(name="warm", when="lesion.lesion >= 0", clear="lesion.lesion < 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    patch.run(2.0)
    assert [record.change.state for record in patch.of(AlertRecord)] == [AlertState.RAISED]
    patch.pipeline.listen()
    (told,) = [record for record in patch.run(0.5) if isinstance(record, AlertRecord)]
    assert told.change == patch.of(AlertRecord)[0].change
    step = patch.pipeline.acknowledge(0)
    assert step is not None and step.change.state is AlertState.ACKNOWLEDGED
    assert patch.pipeline.acknowledge(0) is None
    assert [change.state for change in patch.pipeline.alerts()] == [AlertState.ACKNOWLEDGED]


def test_signals_are_sent_while_they_are_asked_for(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(1.0)
    assert patch.of(SignalRecord) == []
    names = list(patch.pipeline.plan.signals)
    wanted = ("skin", "above", "spots")
    patch.pipeline.send_signals(tuple(names.index(name) for name in wanted))
    patch.run(2.0)
    parts = patch.of(SignalRecord)
    assert {names[part.signal] for part in parts} == set(wanted)
    pictures: dict[int, list[Values]] = {}
    for part in parts:
        if names[part.signal] == "skin":
            pictures.setdefault(part.time_us, []).append(part.values)
    read = {moment["skin"].time_us: moment["skin"].values for moment in patch.moments()}
    assert len(pictures) >= 14
    for time_us, values in pictures.items():
        np.testing.assert_array_equal(np.concatenate(values), read[time_us].ravel())
    patch.pipeline.listen()
    assert not [record for record in patch.run(1.0) if isinstance(record, SignalRecord)]


def test_signals_of_a_wearable_without_models_are_sent_too() -> None:
    patch = Patch()
    patch.run(1.0)
    patch.pipeline.send_signals((0,))
    patch.run(1.0)
    assert {part.signal for part in patch.of(SignalRecord)} == {0}


def test_a_page_with_invalid_auxiliary_words_is_streamed_but_not_judged(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(1.5)
    radiometry = patch.simulated.chip.radiometry
    measure = radiometry.measure

    def broken(*arguments: Any, **options: Any) -> Any:
        result = measure(*arguments, **options)
        result.auxiliary[0x0A] = 0x7FFF
        return result

    radiometry.measure = broken
    records = patch.run(2.0)
    assert len(patch.blocks(among=records)) >= 30
    assert len(findings(records)) <= 1
    assert patch.pipeline.counters.get("auxiliary_invalid") >= 15
    assert 1 <= len(events(records, "auxiliary_invalid")) <= 3, "not an event a page"
    radiometry.measure = measure
    assert findings(patch.run(2.0))


@pytest.mark.parametrize(("harm", "flag"), UNFIT.values(), ids=UNFIT)
def test_findings_of_pictures_that_are_none_are_doubtful_and_move_no_alert(
    bundle: Bundle, harm: Callable[[SimulatedHardware], None], flag: Quality
) -> None:
    alert = Alert(name="any", when="lesion.lesion >= 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    harm(patch.simulated)
    records = patch.run(3.0)
    assert len(patch.blocks(among=records)) >= 30
    assert all(one.flags & flag & DOUBTFUL for one in findings(records))
    assert patch.of(AlertRecord) == []
    patch.simulated.set_scene()
    patch.simulated.set_ambient(25.0)
    later = patch.run(3.0)
    assert not findings(later)[-1].flags & DOUBTFUL
    assert [record.change.state for record in patch.of(AlertRecord)] == [AlertState.RAISED]


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_finding(bundle: Bundle, harm: Callable[[SimulatedHardware], None]) -> None:
    patch = Patch(bundle)
    harm(patch.simulated)
    assert any(not one.flags & DOUBTFUL for one in findings(patch.run(3.0)))


def test_pixels_a_correction_calls_bad_are_not_there(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(1.0)
    bad = np.zeros(768, np.bool_)
    bad[::6] = True
    patch.pipeline.set_correction(SKIN, replace(correction_of(patch, 0.1), bad=bad.reshape(24, 32)))
    said = findings(patch.run(3.0))
    assert len(said) > 10 and all(one.flags & Quality.MISSING for one in said[-10:])


def test_a_missing_sensor_is_an_event_and_the_others_go_on() -> None:
    patch = Patch()
    patch.simulated.bus.unplug(address=0x33)
    patch.pipeline.start()
    patch.run(3.0)
    assert patch.blocks() == []
    assert patch.pipeline.found(SKIN) is None
    assert "0x33" in patch.pipeline.fault(SKIN)
    assert len(patch.blocks(SPOTS)) >= 5
    (lost,) = events(patch.records, "sensor_lost")
    assert lost.sensor == SKIN and "does not acknowledge" in lost.text
    patch.simulated.bus.plug()
    patch.run(3.0)
    assert len(patch.blocks()) > 10
    assert patch.pipeline.fault(SKIN) == ""


def test_faults_become_events_with_counts_at_most_one_a_second() -> None:
    patch = Patch(faults="nack:p=0.05")
    patch.run(5.0)
    nacks = [event for event in events(patch.records, "bus_nack") if event.sensor == SKIN]
    assert 3 <= len(nacks) <= 7
    assert [event.count for event in nacks] == sorted({event.count for event in nacks})
    assert all(b.time_us - a.time_us >= 1_000_000 for a, b in pairwise(nacks))
    assert nacks[-1].count <= patch.pipeline.counters.by_sensor()["bus_nack", SKIN]


def test_faults_counted_before_it_began_are_not_told_again() -> None:
    counters = Counters()
    counters.add("bus_nack", 7, sensor=0)
    simulated = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "1", simulated=True)
    pipeline = Pipeline(hardware, DEFAULT, counters=counters, inline=True)
    records = [record for _ in range(40) for record in pipeline.step()]
    assert not [record for record in records if isinstance(record, EventRecord)]


def is_key(block: Block) -> bool:
    return codec.decode(block.data, block.index).key


def test_keys_restart_on_request() -> None:
    patch = Patch()
    patch.run(2.0)
    assert not is_key(patch.blocks()[-1])
    patch.pipeline.restart_keys()
    after = patch.blocks(among=patch.run(0.5))
    assert [is_key(block) for block in after[:4]] == [True, True, False, False]
    patch.pipeline.listen(1)
    assert all(map(is_key, patch.blocks(among=patch.run(0.5))))
    with pytest.raises(UsageError, match="key interval"):
        patch.pipeline.listen(0)


def test_after_a_pause_it_goes_on_with_keys_and_without_a_loss(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    last = patch.blocks()[-1]
    patch.simulated.clock.sleep_until_us(patch.simulated.clock.now_us() + 10_000_000)
    patch.pipeline.resume()
    after = patch.blocks(among=patch.run(1.0))
    assert after[0].index == last.index + 1
    assert is_key(after[0])
    assert patch.pipeline.counters.get("blocks_lost") == 0


def test_a_new_rate_changes_the_stream() -> None:
    patch = Patch()
    patch.run(1.5)
    assert patch.pipeline.set_rate(SKIN, 32) == 32
    assert patch.pipeline.rate_hz(SKIN) == 32
    assert len(patch.blocks(among=patch.run(2.0))) in range(60, 66)
    with pytest.raises(UsageError):
        patch.pipeline.set_rate(SKIN, 33)
    with pytest.raises(UsageError, match="profile"):
        patch.pipeline.set_rate(SPOTS, 4)


@pytest.mark.parametrize("rate_hz", [1.0, 2.0, 64.0])
def test_findings_go_on_at_another_rate_and_alerts_stand(bundle: Bundle, rate_hz: float) -> None:
    """A camera that is slower than its profile says is none with gaps."""
    alert = Alert(name="any", when="lesion.lesion >= 0", clear="lesion.lesion < 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    patch.run(2.0)
    patch.pipeline.set_rate(SKIN, rate_hz)
    records = patch.run(5 + 20 / rate_hz)
    said = findings(records)
    assert len(said) >= 7
    engine = engine_of(patch, bundle, [rate_hz])
    wanted = [one.finding for record in records if isinstance(record, Block) for one in engine.push(record).said]
    assert [(one.time_us, one.flags, one.values) for one in said] == [
        (one.time_us, one.flags, one.values) for one in wanted
    ]
    assert [change.state for change in patch.pipeline.alerts()] == [AlertState.RAISED]


def test_a_rate_that_the_bus_cannot_carry_costs_no_findings(bundle: Bundle) -> None:
    simulated = SimulatedHardware.from_profile(seed=6, bus_hz=400_000, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "0001", simulated=True)
    skin, spots = bundle.profile.sensors
    profile = changed(bundle.profile, sensors=(changed(skin, rate_hz=64.0), spots))
    pipeline = Pipeline(hardware, profile, Bundled(bundle.networks), inline=True)
    said: list[FindingRecord] = []
    while simulated.clock.now_us() < 6_000_000:
        said += findings(pipeline.step())
    assert pipeline.rate_hz(SKIN) == 16 and pipeline.counters.get("rate_lowered") == 1
    assert len(said) > 6 * 8 - 10


def test_the_self_test_of_a_healthy_wearable_passes_and_loses_no_records(bundle: Bundle) -> None:
    patch = Patch(bundle)
    results = patch.pipeline.self_test()
    names = {result.name for result in results}
    parts = ("EEPROM", "answers", "constants", "rate", "supply", "ambient", "bad pixels")
    assert {f"skin: {part}" for part in parts} <= names
    assert {f"spots: thermistor {n}" for n in range(1, 5)} | {"model lesion"} <= names
    assert [result for result in results if not result.passed] == []
    assert all(result.detail for result in results)
    patch.run(1.0)
    indices = [block.index for block in patch.blocks()]
    assert indices[0] == 2
    assert len(indices) + patch.pipeline.counters.get("blocks_lost") == indices[-1] - indices[0] + 1


def test_a_self_test_after_a_pause_counts_no_loss(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    for _ in range(2):
        patch.simulated.clock.sleep_until_us(patch.simulated.clock.now_us() + 10_000_000)
        assert all(result.passed for result in patch.pipeline.self_test())
    # A self-test reads the EEPROM twice, which may cost the pages of that time and no others.
    assert patch.pipeline.counters.get("blocks_lost") <= 4


@pytest.mark.parametrize(
    ("harm", "fails"),
    [
        (lambda simulated: simulated.bus.unplug(address=0x33), "skin: answers"),
        (lambda simulated: simulated.bus.unplug(address=0x48), "spots: thermistor 1"),
        (lambda simulated: simulated.chips["spots"].set_wiring(2, Wiring.OPEN), "spots: thermistor 3"),
        (lambda simulated: simulated.set_ambient(120.0), "skin: ambient"),
        (lambda simulated: simulated.chip.cells.words.__setitem__(100, 0x1234), "skin: EEPROM"),
    ],
)
def test_the_self_test_finds_what_is_wrong(harm: Callable[[SimulatedHardware], None], fails: str) -> None:
    patch = Patch()
    patch.run(1.0)
    harm(patch.simulated)
    patch.run(1.0)
    failed = {result.name for result in patch.pipeline.self_test() if not result.passed}
    assert fails in failed


def test_words_that_no_sensor_holds_are_told_and_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.simulated.chip.cells.words[0x31] ^= 0x0400
    records = patch.run(2.0)
    assert patch.blocks() and events(records, "constants_doubtful")
    assert "EEPROM word 0x2431" in patch.pipeline.warning(SKIN)
    assert all(one.flags & Quality.SUSPECT for one in findings(records))
    results = {result.name: result for result in patch.pipeline.self_test()}
    assert not results["skin: constants"].passed
    assert "EEPROM word 0x2431" in results["skin: constants"].detail
    assert "PTAT reference" in results["skin: constants"].detail


def test_constants_that_have_changed_are_told_and_flagged_until_a_calibration_vouches_for_them(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    before = patch.identity()
    patch.simulated.change("rot", {"address": 0x2440 + 100, "bit": 3})
    patch.simulated.chip.power_on(patch.simulated.clock.now_us())
    patch.run(3.0)
    found = patch.pipeline.found(SKIN)
    assert found is not None and found.identity == before and found.sighting.number == 2
    assert patch.blocks()[-1].constants == 2
    assert events(patch.records, "constants_changed")
    assert patch.pipeline.warning(SKIN) == FAULTS["constants_changed"].text
    assert patch.of(FindingRecord)[-1].flags & Quality.SUSPECT
    made = correction_of(patch, 0.5)
    vouching = replace(made, stamp=replace(made.stamp, constants_crc32=found.sighting.fingerprint))
    patch.pipeline.set_correction(SKIN, vouching)
    assert patch.pipeline.warning(SKIN) == ""
    assert not findings(patch.run(2.0))[-1].flags & Quality.SUSPECT


def test_fast_kernels_are_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle, kernels="fast")
    patch.run(2.0)
    assert all(one.flags & Quality.FAST_KERNELS for one in patch.of(FindingRecord))
    assert patch.pipeline.counters.get("kernels_compared") >= 1


def test_what_was_waived_at_signing_is_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle)
    hardware = Hardware(patch.simulated.bus, patch.simulated.clock, "patch", "0001", simulated=True)
    pipeline = Pipeline(hardware, bundle.profile, Bundled(bundle.networks, waived=True), inline=True)
    records = [record for _ in range(60) for record in pipeline.step()]
    assert findings(records) and all(one.flags & Quality.GATE_FAILED for one in findings(records))


def test_a_profile_with_impossible_thermistors_is_refused() -> None:
    channel = Thermistor(name="t", curve=(0.001, 1e-9, -0.5))
    profile = changed(
        DEFAULT, sensors=(DEFAULT.sensors[0], Ads1115NtcSettings(name="spots", path=(0x48,), channels=(channel,)))
    )
    with pytest.raises(ModelError, match="thermistor"):
        Patch(profile=profile)


def test_a_profile_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ModelError, match="no such signal"):
        Patch(profile=changed(DEFAULT, stages=(Centre(of="nothing", gives="it", by="median"),)))


def test_a_profile_of_a_camera_alone_has_no_blocks_of_others() -> None:
    patch = Patch(profile=changed(DEFAULT, sensors=(Mlx90640Settings(name="skin", path=(0x33,)),)))
    patch.run(2.0)
    assert patch.blocks() and not patch.blocks(SPOTS)
    assert all(result.name.startswith("skin: ") for result in patch.pipeline.self_test())


def test_at_64_hz_with_a_model_no_page_is_lost(bundle: Bundle) -> None:
    patch = Patch(bundle, rate_hz=64)
    patch.run(5.0)
    assert patch.pipeline.counters.get("blocks_lost") == 0
    assert len(patch.of(FindingRecord)) > 120


def test_self_tests_that_nobody_streams_after_hold_no_more_and_more() -> None:
    patch = Patch()
    patch.pipeline.start()
    clock = patch.simulated.clock
    for _ in range(BACKLOG // 4):
        assert all(result.passed for result in patch.pipeline.self_test())
        clock.sleep_until_us(clock.now_us() + 2_000_000)
    assert len(patch.pipeline.step()) <= BACKLOG
