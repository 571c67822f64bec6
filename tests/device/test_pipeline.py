"""The pipeline from a simulated bus to records, in simulated time; the host's decoder is the judge of what it sends."""

import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from thermo_core.correction import Correction
from thermo_core.features import FeatureExtractor
from thermo_core.profile import Alert, PictureSensor, Profile, Thermistors, ThermistorSettings
from thermo_device.inference import Classifier
from unfit import FIT, UNFIT

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.image import Version, parse
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState, SteinhartHart
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.wire import records as wire
from thermo_core.wire.records import (
    ClockRecord,
    EventRecord,
    Record,
    Severity,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)
from thermo_device.background import Background
from thermo_device.counters import FAULTS, Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import BACKLOG, Pipeline
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.thermistor import Wiring

RATE_HZ = 16.0
ARTIFACTS = Path(__file__).resolve().parents[2] / "models" / "thermo_models" / "artifacts"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The breast patch's own bundle; a shorter mean lets verdicts come sooner, small features let scores vary."""
    image = parse((ARTIFACTS / "breast-patch" / "bundle.img").read_bytes())
    bundle = Bundle.from_payload(image.payload)
    preprocessing = replace(bundle.profile.preprocessing, average_pictures=3, scale=0.3)
    return replace(bundle, profile=replace(bundle.profile, preprocessing=preprocessing, alert=None))


class Wearable:
    """A pipeline on simulated hardware, and what it said."""

    def __init__(
        self,
        bundle: Bundle | None = None,
        profile: Profile | None = None,
        correction: Correction | None = None,
        rate_hz: float = RATE_HZ,
        faults: str = "",
        inline: bool = True,
        kernels: str = "reference",
        seed: int = 6,
    ) -> None:
        self.simulated = SimulatedHardware.from_profile(seed=seed, bus_hz=1_000_000, faults=faults, warm_up_tau_s=0)
        hardware = Hardware(self.simulated.bus, self.simulated.clock, "patch", "0001", simulated=True)
        base = profile if profile is not None else bundle.profile if bundle is not None else Profile.bare()
        self.profile = replace(base, picture_sensor=replace(base.picture_sensor, refresh_rate_hz=rate_hz))
        self.pipeline = Pipeline(
            hardware,
            self.profile,
            bundle,
            correction,
            model_version=Version(1, 2, 3, 4),
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

    def of(self, kind: type) -> list:
        return [record for record in self.records if isinstance(record, kind)]

    def subpages(self) -> list[Subpage]:
        decoder = CountsDecoder()
        return [
            Subpage(decoder.decode(record.packed), record.index, record.time_us) for record in self.of(SubpageRecord)
        ]


def test_what_is_sent_decodes_to_the_scene() -> None:
    wearable = Wearable()
    wearable.pipeline.start()
    wearable.run(3.0)
    subpages = wearable.subpages()
    assert 35 <= len(subpages) <= 40
    eeprom = wearable.pipeline.eeprom
    assert eeprom is not None
    decoder = Decoder(Constants.from_eeprom(eeprom), 0.98, 25.0)
    picture = merge(decoder.decode(subpages[-2].words), decoder.decode(subpages[-1].words))
    scene = wearable.simulated.scene.celsius(subpages[-1].time_us / 1e6)
    assert np.abs(np.median(picture.celsius) - np.median(scene)) < 1.0
    assert len(wearable.pipeline.sensor_id) == 6
    assert wearable.pipeline.sensor_fault == ""


def test_thermistors_and_clock_come_at_their_rates_and_pictures_are_not_late_for_them() -> None:
    wearable = Wearable(rate_hz=64)
    wearable.pipeline.start()
    wearable.run(5.0)
    scans = wearable.of(ThermistorRecord)
    assert 9 <= len(scans) <= 11
    for channel in scans[-1].channels:
        assert channel.state == ChannelState.OK
        assert channel.celsius == pytest.approx(33.5, abs=1.0)
    clocks = wearable.of(ClockRecord)
    assert len(clocks) in (5, 6)
    assert clocks[-1].unix_us == 0, "a simulated device does not know the time of day"
    assert clocks[-1].captured > 230
    assert clocks[-1].lost == 0
    assert wearable.pipeline.counters.get("subpages_lost") == 0


def test_verdicts_are_those_of_the_host_s_own_path(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.pipeline.start()
    wearable.run(3.0)
    verdicts = wearable.of(VerdictRecord)
    assert len(verdicts) >= 10
    assert len({verdict.scores for verdict in verdicts}) > 1
    camera = wearable.profile.picture_sensor
    eeprom = wearable.pipeline.eeprom
    assert eeprom is not None
    decoder = Decoder(Constants.from_eeprom(eeprom), camera.emissivity, camera.reflected_celsius)
    classifier, features = Classifier(bundle), FeatureExtractor(bundle.profile.preprocessing)
    assembler, expected = PictureAssembler(decoder), {}
    for subpage in wearable.subpages():
        picture = assembler.push(subpage)
        ready = None if picture is None else features.push(picture.celsius)
        if ready is not None:
            expected[subpage.index] = classifier.classify(ready)
    for verdict in verdicts:
        result = expected[verdict.index]
        assert verdict.label == result.label
        np.testing.assert_allclose(verdict.scores, result.scores, atol=1e-6)
        assert verdict.pictures == 3
        assert verdict.simulated
        assert verdict.uncalibrated
        assert not verdict.fast_kernels
        assert verdict.model_version == (1, 2, 3, 4)
        assert 15_000 < verdict.latency_us < 30_000
    assert not wearable.pipeline.calibrated


def test_classifying_beside_the_acquisition_gives_the_same_verdicts(bundle: Bundle) -> None:
    inline, beside = Wearable(bundle), Wearable(bundle, inline=False)
    inline.run(2.0)
    while beside.simulated.clock.now_us() < inline.simulated.clock.now_us():
        beside.records += beside.pipeline.step()
        done = threading.Event()
        assert beside.pipeline._background.submit(done.set)
        assert done.wait(20)
    beside.records += beside.pipeline.step()
    beside.pipeline.close()
    first = [(verdict.index, verdict.scores) for verdict in inline.of(VerdictRecord)]
    second = [(verdict.index, verdict.scores) for verdict in beside.of(VerdictRecord)]
    assert len(first) > 5
    assert second[: len(first)] == first


def test_a_busy_network_skips_pictures_and_counts_them_but_streams_all_subpages(bundle: Bundle) -> None:
    wearable = Wearable(bundle, inline=False)
    wearable.run(1.0)
    free = threading.Event()
    # Simulated time outruns the thread, which may still have all it can hold.
    while not wearable.pipeline._background.submit(lambda: free.wait(20) and None):
        time.sleep(0.001)
    before = len(wearable.of(SubpageRecord))
    records = wearable.run(2.0)
    assert sum(isinstance(record, SubpageRecord) for record in records) >= 30
    assert not any(isinstance(record, VerdictRecord) for record in records[-10:])
    assert wearable.pipeline.counters.get("pictures_skipped") >= 25
    indices = [record.index for record in wearable.of(SubpageRecord)]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    assert before > 0
    free.set()
    wearable.pipeline.close()


def test_work_beside_is_done_in_order_and_none_after_the_end() -> None:
    background: Background[int] = Background(capacity=100)
    results = []
    for n in range(50):
        assert background.submit(lambda n=n: n if n % 2 else None)
    done = threading.Event()
    background.submit(done.set)
    assert done.wait(20)
    results += background.results()
    assert results == list(range(1, 50, 2))
    background.close()
    assert not background.submit(lambda: 1)
    assert background.results() == []


def _correction(wearable: Wearable, offset: float = 3.0) -> Correction:
    identity = Correction.identity(wearable.pipeline.sensor_id)
    offsets = np.full((24, 32), offset, np.float32)
    return replace(identity, offset=offsets)


def test_a_correction_changes_verdicts_and_their_flag_from_the_next_picture_on(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.run(2.0)
    rng = np.random.default_rng(0)
    slanted = replace(_correction(wearable), offset=rng.normal(0, 3, (24, 32)).astype(np.float32))
    before = wearable.of(VerdictRecord)[-1]
    wearable.pipeline.set_correction(slanted)
    assert wearable.pipeline.calibrated
    after = [record for record in wearable.run(2.0) if isinstance(record, VerdictRecord)][-1]
    assert before.uncalibrated and not after.uncalibrated
    assert before.scores != after.scores
    wearable.pipeline.set_correction(Correction.identity(wearable.pipeline.sensor_id))
    last = [record for record in wearable.run(2.0) if isinstance(record, VerdictRecord)][-1]
    assert last.uncalibrated
    assert not wearable.pipeline.calibrated


def test_a_correction_of_another_sensor_is_not_used(bundle: Bundle) -> None:
    correction = replace(Correction.identity(b"other!"), offset=np.ones((24, 32), np.float32))
    wearable = Wearable(bundle, correction=correction)
    wearable.run(2.0)
    assert wearable.of(VerdictRecord)[-1].uncalibrated
    assert not wearable.pipeline.calibrated
    assert [event.code for event in wearable.of(EventRecord)] == [FAULTS["correction_mismatch"].code]
    assert wearable.of(EventRecord)[0].severity is Severity.ERROR


def test_calibrated_thermistors_use_their_own_curves() -> None:
    wearable = Wearable()
    wearable.run(1.0)
    curves = tuple(SteinhartHart(ntc.a, ntc.b, ntc.c) for ntc in wearable.simulated.ntcs)
    identity = Correction.identity(wearable.pipeline.sensor_id)
    wearable.pipeline.set_correction(replace(identity, thermistors=curves))
    wearable.run(2.0)
    for channel in wearable.of(ThermistorRecord)[-1].channels:
        assert channel.celsius == pytest.approx(33.5, abs=0.15)


def test_the_alert_needs_as_many_verdicts_in_a_row_as_the_profile_says(bundle: Bundle) -> None:
    plain = Wearable(bundle)
    plain.run(4.0)
    scores = [verdict.scores[1] for verdict in plain.of(VerdictRecord)]
    threshold = float(np.median(scores))
    for consecutive in (1, 2, 3):
        alert = Alert(label=1, threshold=max(threshold, 1e-4), consecutive=consecutive)
        wearable = Wearable(bundle, profile=replace(bundle.profile, alert=alert))
        wearable.run(4.0)
        reached = [score >= alert.threshold for score in scores]
        expected = [n + 1 >= consecutive and all(reached[n + 1 - consecutive : n + 1]) for n in range(len(reached))]
        assert [verdict.alert for verdict in wearable.of(VerdictRecord)] == expected
        assert any(reached) and not all(reached)


def test_a_page_with_invalid_auxiliary_words_is_streamed_but_not_judged(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.run(1.5)
    radiometry = wearable.simulated.chip.radiometry
    measure = radiometry.measure

    def broken(*arguments, **options):
        result = measure(*arguments, **options)
        result.auxiliary[0x0A] = 0x7FFF
        return result

    radiometry.measure = broken
    records = wearable.run(2.0)
    assert sum(isinstance(record, SubpageRecord) for record in records) >= 30
    assert sum(isinstance(record, VerdictRecord) for record in records) <= 1
    assert wearable.pipeline.counters.get("auxiliary_invalid") >= 15
    events = [record for record in records if isinstance(record, EventRecord)]
    code = FAULTS["auxiliary_invalid"].code
    assert 1 <= sum(event.code == code for event in events) <= 3, "not an event a page"
    radiometry.measure = measure
    assert any(isinstance(record, VerdictRecord) for record in wearable.run(2.0))


@pytest.mark.parametrize(("harm", "counter"), UNFIT.values(), ids=UNFIT)
def test_pictures_that_are_none_get_no_verdict(bundle: Bundle, harm, counter: str) -> None:
    wearable = Wearable(bundle)
    harm(wearable.simulated)
    records = wearable.run(3.0)
    assert sum(isinstance(record, SubpageRecord) for record in records) >= 30
    assert not any(isinstance(record, VerdictRecord) for record in records)
    assert wearable.pipeline.counters.get(counter) >= 15
    assert any(isinstance(record, EventRecord) and record.code == FAULTS[counter].code for record in records)
    wearable.simulated.set_scene()
    wearable.simulated.set_ambient(25.0)
    assert any(isinstance(record, VerdictRecord) for record in wearable.run(3.0))


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_verdict(bundle: Bundle, harm) -> None:
    wearable = Wearable(bundle)
    harm(wearable.simulated)
    assert any(isinstance(record, VerdictRecord) for record in wearable.run(3.0))


def test_pixels_a_calibration_calls_bad_are_not_there(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.run(1.0)
    bad = np.zeros(768, np.bool_)
    bad[::6] = True
    wearable.pipeline.set_correction(replace(_correction(wearable, 0.1), bad=bad.reshape(24, 32)))
    assert not any(isinstance(record, VerdictRecord) for record in wearable.run(3.0))
    assert wearable.pipeline.counters.get("picture_incomplete") >= 15


def test_a_missing_sensor_is_an_event_and_thermistors_go_on() -> None:
    wearable = Wearable()
    wearable.simulated.bus.unplug(address=0x33)
    wearable.pipeline.start()
    wearable.run(3.0)
    assert wearable.of(SubpageRecord) == []
    assert wearable.pipeline.eeprom is None
    assert wearable.pipeline.sensor_id == b""
    assert "0x33" in wearable.pipeline.sensor_fault
    assert len(wearable.of(ThermistorRecord)) >= 5
    lost = [event for event in wearable.of(EventRecord) if event.code == FAULTS["sensor_lost"].code]
    assert len(lost) == 1
    assert "does not acknowledge" in lost[0].text
    wearable.simulated.bus.plug()
    wearable.run(3.0)
    assert len(wearable.of(SubpageRecord)) > 10
    assert wearable.pipeline.sensor_fault == ""


def test_faults_become_events_with_counts_at_most_one_a_second() -> None:
    wearable = Wearable(faults="nack:p=0.05")
    wearable.run(5.0)
    nacks = [event for event in wearable.of(EventRecord) if event.code == FAULTS["bus_nack"].code]
    assert 3 <= len(nacks) <= 7
    assert [event.count for event in nacks] == sorted({event.count for event in nacks})
    assert all(b.time_us - a.time_us >= 1_000_000 for a, b in pairwise(nacks))
    assert nacks[-1].count <= wearable.pipeline.counters.get("bus_nack")


def test_faults_counted_before_it_began_are_not_told_again() -> None:
    counters = Counters()
    counters.add("bus_nack", 7)
    simulated = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "1", simulated=True)
    pipeline = Pipeline(hardware, Profile.bare(), counters=counters, inline=True)
    records = [record for _ in range(40) for record in pipeline.step()]
    assert not [record for record in records if isinstance(record, EventRecord)]


def test_keys_restart_on_request() -> None:
    wearable = Wearable()
    wearable.run(2.0)
    assert not wearable.of(SubpageRecord)[-1].packed.key
    wearable.pipeline.restart_keys()
    after = [record for record in wearable.run(0.5) if isinstance(record, SubpageRecord)]
    assert [record.packed.key for record in after[:4]] == [True, True, False, False]
    wearable.pipeline.restart_keys(1)
    assert all(record.packed.key for record in wearable.run(0.5) if isinstance(record, SubpageRecord))
    with pytest.raises(UsageError, match="key interval"):
        wearable.pipeline.restart_keys(0)


def test_after_a_pause_it_goes_on_with_keys_and_without_a_loss(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.run(2.0)
    last = wearable.of(SubpageRecord)[-1]
    wearable.simulated.clock.sleep_until_us(wearable.simulated.clock.now_us() + 10_000_000)
    wearable.pipeline.resume()
    after = [record for record in wearable.run(1.0) if isinstance(record, SubpageRecord)]
    assert after[0].index == last.index + 1
    assert after[0].packed.key
    assert wearable.pipeline.counters.get("subpages_lost") == 0


def test_a_new_rate_changes_the_stream() -> None:
    wearable = Wearable()
    wearable.run(1.5)
    assert wearable.pipeline.set_rate(32) == 32
    assert wearable.pipeline.rate_hz == 32
    assert sum(isinstance(record, SubpageRecord) for record in wearable.run(2.0)) in range(60, 66)
    with pytest.raises(UsageError):
        wearable.pipeline.set_rate(33)


def test_the_self_test_of_a_healthy_wearable_passes_and_loses_no_records(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    results = wearable.pipeline.self_test()
    names = {result.name for result in results}
    assert {"EEPROM", "sensor answers", "refresh rate", "supply", "ambient", "bad pixels", "model"} <= names
    assert sum(name.startswith("thermistor ") for name in names) == 4
    assert [result for result in results if not result.passed] == []
    assert all(result.detail for result in results)
    wearable.run(1.0)
    indices = [record.index for record in wearable.of(SubpageRecord)]
    assert indices[0] == 2
    assert len(indices) + wearable.pipeline.counters.get("subpages_lost") == indices[-1] - indices[0] + 1


def test_a_self_test_after_a_pause_counts_no_loss(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.run(2.0)
    for _ in range(2):
        wearable.simulated.clock.sleep_until_us(wearable.simulated.clock.now_us() + 10_000_000)
        assert all(result.passed for result in wearable.pipeline.self_test())
    # A self-test reads the EEPROM twice, which may cost the pages of that time and no others.
    assert wearable.pipeline.counters.get("subpages_lost") <= 4


@pytest.mark.parametrize(
    ("harm", "fails"),
    [
        (lambda simulated: simulated.bus.unplug(address=0x33), "sensor answers"),
        (lambda simulated: simulated.bus.unplug(address=0x48), "thermistor thermistor 1"),
        (lambda simulated: simulated.set_wiring(2, Wiring.OPEN), "thermistor thermistor 3"),
        (lambda simulated: simulated.set_ambient(120.0), "ambient"),
        (lambda simulated: simulated.chip.cells.words.__setitem__(100, 0x1234), "EEPROM"),
    ],
)
def test_the_self_test_finds_what_is_wrong(harm, fails: str) -> None:
    wearable = Wearable()
    wearable.run(1.0)
    harm(wearable.simulated)
    wearable.run(1.0)
    failed = {result.name for result in wearable.pipeline.self_test() if not result.passed}
    assert fails in failed


def test_words_that_no_sensor_holds_are_told(bundle: Bundle) -> None:
    wearable = Wearable(bundle)
    wearable.simulated.chip.cells.words[0x31] ^= 0x0400
    records = wearable.run(2.0)
    codes = {record.code for record in records if isinstance(record, EventRecord)}
    assert any(isinstance(record, SubpageRecord) for record in records)
    assert FAULTS["eeprom_doubtful"].code in codes
    results = {result.name: result for result in wearable.pipeline.self_test()}
    assert not results["constants"].passed
    assert "EEPROM word 0x2431" in results["constants"].detail and "PTAT reference" in results["constants"].detail


def test_fast_kernels_are_flagged(bundle: Bundle) -> None:
    wearable = Wearable(bundle, kernels="fast")
    wearable.run(2.0)
    assert all(verdict.fast_kernels for verdict in wearable.of(VerdictRecord))
    assert wearable.pipeline.counters.get("kernels_compared") >= 1


def test_a_profile_with_impossible_thermistors_is_refused() -> None:
    channel = ThermistorSettings("t", curve=(0.001, 1e-9, -0.5))
    profile = replace(Profile.bare(), thermistors=Thermistors(channels=(channel,)))
    with pytest.raises(ModelError, match="thermistors"):
        Wearable(profile=profile)


def test_a_profile_without_thermistors_has_no_records_of_them() -> None:
    profile = replace(Profile.bare(), thermistors=Thermistors(channels=()), picture_sensor=PictureSensor())
    wearable = Wearable(profile=profile)
    wearable.run(2.0)
    assert wearable.of(ThermistorRecord) == []
    assert wearable.of(SubpageRecord)
    assert not any(result.name.startswith("thermistor") for result in wearable.pipeline.self_test())


def test_at_64_hz_with_a_model_no_page_is_lost(bundle: Bundle) -> None:
    wearable = Wearable(bundle, rate_hz=64)
    wearable.run(5.0)
    assert wearable.pipeline.counters.get("subpages_lost") == 0
    assert len(wearable.of(VerdictRecord)) > 120


def test_self_tests_that_nobody_streams_after_hold_no_more_and_more() -> None:
    wearable = Wearable()
    wearable.pipeline.start()
    clock = wearable.simulated.clock
    for _ in range(BACKLOG):
        assert all(result.passed for result in wearable.pipeline.self_test())
        clock.sleep_until_us(clock.now_us() + 2_000_000)
    assert len(wearable.pipeline.step()) <= BACKLOG
