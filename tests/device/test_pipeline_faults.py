"""Faults and self-tests of the pipeline: told once, counted, and overcome."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from pipeline_patch import RATE_HZ, SKIN, SPOTS, Patch, events, findings

from thermo_core.bundle import Bundle
from thermo_core.wire.records import EventRecord
from thermo_device.bare import DEFAULT
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import BACKLOG, Pipeline
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_sim.chips.ads1115_ntc.ntc import Wiring
from thermo_sim.hardware import SimulatedHardware


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


def test_a_rate_that_a_busy_machine_mistook_is_watched_until_it_is_known() -> None:
    patch = Patch()
    patch.run(1.0)
    camera: Any = patch.pipeline._drivers[SKIN]
    schedule = camera._sensor._schedule
    schedule.period_us *= 0.88
    schedule._period_variance = (0.1 * schedule.nominal_us) ** 2
    assert not camera.in_time
    assert all(result.passed for result in patch.pipeline.self_test())
    before = len(patch.blocks())
    patch.run(1.0)
    assert len(patch.blocks()) > before, "what was captured meanwhile is told"


def test_a_rate_that_stays_wrong_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    patch = Patch()
    patch.run(1.0)
    monkeypatch.setattr(PictureSensor, "measured_rate_hz", 1.12 * RATE_HZ)
    began_us = patch.simulated.clock.now_us()
    assert [one.name for one in patch.pipeline.self_test() if not one.passed] == ["skin: rate"]
    assert patch.simulated.clock.now_us() - began_us < 3_000_000


def test_self_tests_that_nobody_streams_after_hold_no_more_and_more() -> None:
    patch = Patch()
    patch.pipeline.start()
    clock = patch.simulated.clock
    for _ in range(BACKLOG // 4):
        assert all(result.passed for result in patch.pipeline.self_test())
        clock.sleep_until_us(clock.now_us() + 2_000_000)
    assert len(patch.pipeline.step()) <= BACKLOG
