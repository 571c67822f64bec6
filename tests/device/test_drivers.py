"""Drivers of chips that are asked again and again, on simulated chips: what they measure, and what they stand."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from chip_bus import MAKE, SETTINGS, TRUTH, bus_of
from sensor_bytes import ADDRESS

from thermo_core import schema
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.path import parse
from thermo_core.signals import Sample
from thermo_core.wire.events import COUNTS, FAULTS
from thermo_device.counters import Counters
from thermo_device.multiplexer import Switchboard
from thermo_device.scheduler import Scheduler
from thermo_device.sensors.driver import Place
from thermo_device.sensors.table import DRIVERS, driver_of
from thermo_device.sightings import Sightings

KIND = list(SETTINGS)


@dataclass
class Bench:
    """One chip on a bus, and its driver.

    Attributes:
        kind: of the sensor.
        faults: of the bus.
        seed: of the chip.
        path: where it sits.
    """

    kind: str
    faults: str = ""
    seed: int = 1
    path: tuple[str | int, ...] = ()
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = self.path or (ADDRESS[self.kind],)
        self.settings = schema.from_plain(
            {"kind": self.kind, "name": "s", "path": list(path), **SETTINGS[self.kind]}, KINDS[self.kind].settings, "s"
        )
        self.chip = MAKE[self.kind](ADDRESS[self.kind], self.seed)
        self.bus = bus_of(self.chip, faults=self.faults)
        self.bus.clock.sleep_until_us(10_000)  # chips are deaf when they have just got power
        self.counters = Counters()
        where = parse(path)
        place = Place(0, Switchboard(self.bus, [where]).at(where), self.bus.clock, self.counters, Sightings(), "serial")
        self.driver = driver_of(self.settings, place)
        self.scheduler = Scheduler([self.driver], [self.settings], self.bus.clock)

    def run(self, seconds: float) -> list[Block]:
        end_us = self.bus.clock.now_us() + round(seconds * 1e6)
        before = len(self.blocks)
        while self.bus.clock.now_us() < end_us:
            _, block = self.scheduler.poll(end_us)
            if block is not None:
                self.blocks.append(block)
        return self.blocks[before:]

    def samples(self, blocks: list[Block] | None = None) -> list[Sample]:
        found = self.driver.found
        assert found is not None
        reader = KINDS[self.kind].reader(self.settings, found.constants, None)
        return [moment["s"] for block in (self.blocks if blocks is None else blocks) for moment in reader.push(block)]

    def exchange(self, seed: int) -> None:
        other = MAKE[self.kind](ADDRESS[self.kind], seed)
        self.bus.exchange(self.chip, other)
        self.chip = other

    def check(self) -> None:
        """Blocks are in order, and no counter has a name of its own."""
        assert [block.index for block in self.blocks] == sorted({block.index for block in self.blocks})
        assert all(a.time_us < b.time_us for a, b in pairwise(self.blocks))
        counts = self.counters.snapshot()
        assert set(counts) <= set(FAULTS) | set(COUNTS)
        if self.blocks:
            lost = counts.get("blocks_lost", 0)
            assert counts["blocks_captured"] + lost == self.blocks[-1].index + 1


def test_every_kind_has_a_driver() -> None:
    assert set(DRIVERS) == set(KINDS)


@pytest.mark.parametrize("kind", KIND)
def test_it_says_what_is_there_at_its_rate(kind: str) -> None:
    bench = Bench(kind)
    bench.run(12.0)
    bench.check()
    assert bench.counters.snapshot().keys() <= {"blocks_captured"}
    samples = bench.samples()
    wanted = 12 * bench.settings.signals[0].rate_hz
    assert wanted * 0.85 - 32 <= len(samples) <= wanted * 1.1 + 1
    assert not any(sample.flags & ~(Quality.UNCALIBRATED) for sample in samples[-10:])
    if kind in TRUTH:
        truth, within = TRUTH[kind]
        assert [float(sample.values) for sample in samples[-8:]] == pytest.approx([truth] * 8, abs=within)
    elif kind == "lis3dh":
        np.testing.assert_allclose(samples[-1].values, (0, 0, 1), atol=0.05)
    else:
        assert 500 < float(samples[-1].values[0]) < 2000
    steps = np.diff([sample.time_us for sample in samples[-60:]])
    assert steps.mean() == pytest.approx(1e6 / bench.settings.signals[0].rate_hz, rel=0.11)
    assert bench.driver.fault == "" and bench.driver.found is not None
    assert all(result.passed for result in bench.driver.self_test(bench.blocks[-1], ""))


@pytest.mark.parametrize("kind", ["max3010x", "lis3dh"])
def test_samples_of_a_fifo_are_placed_by_the_chip_s_own_clock(kind: str) -> None:
    bench = Bench(kind, seed=5)
    bench.run(120.0)
    times = np.array([sample.time_us for sample in bench.samples()])
    late = times[len(times) // 2 :]
    true_us = bench.chip.period_us  # type: ignore[attr-defined]
    assert np.diff(late).mean() == pytest.approx(true_us, rel=2e-3)
    line = np.polyval(np.polyfit(np.arange(len(late)), late, 1), np.arange(len(late)))
    assert np.abs(late - line).max() < true_us


@pytest.mark.parametrize("kind", KIND)
def test_a_chip_that_is_not_there_is_found_when_it_comes(kind: str) -> None:
    bench = Bench(kind)
    bench.bus.unplug(address=ADDRESS[kind])
    bench.run(5.0)
    assert bench.blocks == [] and bench.driver.found is None
    assert f"0x{ADDRESS[kind]:02X}" in bench.driver.fault
    assert bench.counters.get("sensor_lost") == 1
    assert not all(result.passed for result in bench.driver.self_test(None, ""))
    bench.bus.plug()
    bench.run(5.0)
    assert bench.blocks and bench.driver.fault == ""
    bench.check()


@pytest.mark.parametrize("kind", KIND)
def test_unplugging_costs_the_blocks_of_that_time(kind: str) -> None:
    bench = Bench(kind)
    bench.run(6.0)
    bench.bus.unplug(4_000_000, ADDRESS[kind])
    after = bench.run(12.0)
    bench.check()
    lost = bench.counters.get("blocks_lost")
    assert lost == pytest.approx(4e6 / bench.driver.period_us, abs=4 + 1.5e6 / bench.driver.period_us)
    assert len(after) > 3
    assert not any(sample.flags & ~Quality.UNCALIBRATED for sample in bench.samples(after)[-3:])


@pytest.mark.parametrize("kind", [kind for kind in KIND if kind not in ("max3010x", "lis3dh")])
def test_another_chip_brings_its_own_identity_and_a_higher_number(kind: str) -> None:
    bench = Bench(kind)
    first = bench.run(4.0)
    found = bench.driver.found
    bench.bus.unplug(address=ADDRESS[kind])
    bench.run(1.0)
    bench.exchange(9)
    later = bench.run(6.0)
    other = bench.driver.found
    assert found is not None and other is not None and found.identity != other.identity
    assert {block.constants for block in first} == {1} and {block.constants for block in later} == {2}
    assert bench.counters.get("sensor_changed") == 1
    truth, within = TRUTH[kind]
    assert float(bench.samples(later)[-1].values) == pytest.approx(truth, abs=within)


@pytest.mark.parametrize("kind", KIND)
def test_another_chip_in_a_pause_is_met_when_it_goes_on(kind: str) -> None:
    bench = Bench(kind)
    bench.run(4.0)
    bench.exchange(9)
    bench.bus.clock.sleep_until_us(bench.bus.clock.now_us() + 20_000_000)
    bench.driver.resume()
    later = bench.run(6.0)
    bench.check()
    assert len(later) >= 2
    changed = kind not in ("max3010x", "lis3dh")
    assert bench.counters.get("sensor_changed") == changed
    assert {block.constants for block in later} == ({2} if changed else {1})
    assert bench.counters.get("blocks_lost") <= 1


@pytest.mark.parametrize("kind", ["mlx90632", "max3010x", "lis3dh", "tmp117"])
def test_a_brown_out_is_seen_and_the_chip_set_up_again(kind: str) -> None:
    bench = Bench(kind)
    if kind == "tmp117":  # other settings than those after a reset
        settings: Any = bench.settings
        assert settings.rate_hz == 4.0
    bench.run(4.0)
    bench.chip.power_on(bench.bus.clock.now_us())
    after = bench.run(10.0)
    bench.check()
    assert bench.counters.get("sensor_reset") == 1
    assert len(after) > 0.6 * 10e6 / bench.driver.period_us - 5


@pytest.mark.parametrize("kind", KIND)
@pytest.mark.parametrize("fault", ["nack", "stuck", "short", "flip", "unplug"])
def test_each_fault_at_each_transaction_leaves_it_running_and_honest(kind: str, fault: str) -> None:
    clean = Bench(kind)
    clean.run(3.0)
    transactions = clean.bus.transactions
    for at in range(0, transactions, max(1, transactions // 40)):
        bench = Bench(kind, faults=f"{fault}@{at}" + ("+40ms" if fault == "unplug" else ""))
        bench.run(8.0)
        bench.check()
        assert bench.driver.fault == "", f"{fault}@{at}: {bench.counters.snapshot()}"
        assert len(bench.blocks) >= 3, f"{fault}@{at}: {bench.counters.snapshot()}"


@pytest.mark.parametrize("kind", ["mlx90614", "sht4x"])
def test_a_wrong_checksum_is_asked_for_again(kind: str) -> None:
    bench = Bench(kind)
    bench.run(3.0)
    for _ in range(5):
        bench.bus.add_faults("checksum@+0")
        bench.run(1.0)
    bench.check()
    assert bench.counters.get("reading_corrupt") >= 4
    assert bench.counters.get("sensor_lost") == 0
    truth, within = TRUTH[kind]
    assert all(float(sample.values) == pytest.approx(truth, abs=within) for sample in bench.samples())


@pytest.mark.parametrize("kind", ["max3010x", "lis3dh"])
def test_an_overflow_is_counted_and_what_is_lost_is_said(kind: str) -> None:
    bench = Bench(kind)
    bench.run(5.0)
    before = len(bench.samples())
    bench.bus.clock.sleep_until_us(bench.bus.clock.now_us() + 10_000_000)
    bench.run(5.0)
    bench.check()
    assert bench.counters.get("fifo_overflowed") >= 1
    samples = bench.samples()
    assert any(sample.fresh for sample in samples[before:]), "what came before the gap does not count any more"
    span_us = samples[-1].time_us - samples[0].time_us
    lost = span_us * bench.settings.signals[0].rate_hz / 1e6 - len(samples)
    assert lost > 150


def test_a_chip_of_another_kind_at_the_address_is_refused_with_what_it_says() -> None:
    bench = Bench("lis3dh")
    bench.bus.exchange(bench.chip, MAKE["tmp117"](0x18, 1))
    bench.run(2.0)
    assert bench.blocks == [] and "says it is" in bench.driver.fault and "check the profile" in bench.driver.fault
