"""Sensors that come late, stop, freeze or lie beneath the firmware's main loop: counted, told and overcome."""

import contextlib
from typing import Any

import pytest
from bundles import breast_patch
from wearable_asked import CAMERA, SPOTS, Make, blocks, hello, identity, of, self_test, subpages

from thermo_core.errors import MissingKeyFrameError
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.kinds import KINDS
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import (
    EventRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, GroupError


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
