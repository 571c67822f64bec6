"""Thermistors through a simulated ADS1115: temperatures, wiring, faults, and that a camera is never late for them."""

from typing import Any, cast

import numpy as np
import pytest

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc import codec
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.kind import ThermistorReader
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.signals import Sample
from thermo_device.counters import Counters
from thermo_device.scheduler import Scheduler
from thermo_device.sensors.ads1115_ntc import CONVERSION_US, Thermistors
from thermo_device.sensors.driver import Driver, Place
from thermo_sim.chips.ads1115_ntc.ntc import Wiring
from thermo_sim.hardware import SimulatedHardware

PAGE_US = 15_625
CAMERA = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=64.0)


class Array:
    """Thermistors of a simulated wearable, and a reader of their blocks."""

    def __init__(
        self, seed: int = 4, faults: str = "", rate_hz: float = 2.0, channels: tuple[Thermistor, ...] | None = None
    ) -> None:
        self.hardware = SimulatedHardware.from_profile(seed=seed, faults=faults, warm_up_tau_s=0)
        self.clock = self.hardware.clock
        self.counters = Counters()
        named = channels or tuple(Thermistor(name=f"t{n}") for n in range(4))
        self.settings = Ads1115NtcSettings(name="spots", path=(0x48,), rate_hz=rate_hz, channels=named)
        self.driver = Thermistors(self.settings, Place(0, self.hardware.bus, self.clock, self.counters, serial="1"))
        self.scheduler = Scheduler([self.driver], [self.settings], self.clock)
        self.correction: CurveCorrection | None = None

    def advance(self, until_us: int) -> Block | None:
        """What fits in before `until_us`."""
        while True:
            polled, block = self.scheduler.poll(until_us)
            if block is not None or not polled or self.clock.now_us() >= until_us:
                return block

    def scan(self) -> Sample:
        """A scan begun now."""
        self.driver.resume()
        block = self.advance(self.clock.now_us() + 5_000_000)
        assert block is not None
        return self.read(block)

    def read(self, block: Block) -> Sample:
        (moment,) = ThermistorReader(self.settings, self.correction).push(block)
        return moment["spots"]


def _true_curves(hardware: SimulatedHardware) -> tuple[SteinhartHart, ...]:
    spots: Any = hardware.chips["spots"]
    return tuple(SteinhartHart(ntc.a, ntc.b, ntc.c) for ntc in spots.ntcs)


@pytest.mark.parametrize("celsius", [5.0, 20.0, 33.5, 37.0, 45.0])
def test_catalogue_curves_are_good_to_a_kelvin_and_calibrated_ones_to_a_tenth(celsius: float) -> None:
    array = Array()
    array.hardware.set_bath(celsius)
    assert array.scan().values == pytest.approx(celsius, abs=1.0)
    array.correction = CurveCorrection(_true_curves(array.hardware))
    spots: Any = array.hardware.chips["spots"]
    for ntc, value in zip(spots.ntcs, array.scan().values, strict=True):
        ohm_error_k = abs(ntc.series_ohm / 10_000 - 1) * 30
        assert value == pytest.approx(celsius, abs=0.12 + ohm_error_k)


def test_missing_curves_keep_those_of_the_profile() -> None:
    array = Array()
    before = array.scan().values
    array.correction = CurveCorrection((None, _true_curves(array.hardware)[1]))
    after = array.scan().values
    assert after[[0, 2, 3]] == pytest.approx(before[[0, 2, 3]], abs=0.02)
    assert after[1] != pytest.approx(before[1], abs=0.02)


def test_open_and_shorted_channels_are_told_apart_and_have_no_temperature() -> None:
    array = Array()
    spots: Any = array.hardware.chips["spots"]
    spots.set_wiring(1, Wiring.OPEN)
    opened = array.scan()
    spots.set_wiring(2, Wiring.SHORTED)
    both = array.scan()
    assert np.isnan(opened.values).tolist() == [False, True, False, False]
    assert opened.flags & (Quality.OPEN | Quality.SHORTED) == Quality.OPEN
    assert np.isnan(both.values).tolist() == [False, True, True, False]
    assert both.flags & (Quality.OPEN | Quality.SHORTED) == Quality.OPEN | Quality.SHORTED


def test_a_missing_adc_reads_as_missing_and_is_found_when_it_comes() -> None:
    array = Array()
    array.hardware.bus.unplug(address=0x48)
    for _ in range(3):
        sample = array.scan()
        assert np.isnan(sample.values).all() and sample.flags & Quality.MISSING
        assert "0x48" in array.driver.fault
    assert array.counters.get("sensor_lost") == 1
    array.hardware.bus.plug()
    assert not np.isnan(array.scan().values).any()
    assert array.driver.fault == ""


@pytest.mark.parametrize("kind", ["nack", "stuck", "flip", "short", "unplug"])
def test_each_fault_at_each_transaction_of_a_scan_gives_no_wrong_temperature(kind: str) -> None:
    channels = (Thermistor(name="a"), Thermistor(name="b"))
    array = Array(channels=channels)
    truth = array.scan().values
    transactions = array.hardware.bus.transactions
    assert transactions == 2 * 4
    for at in range(transactions):
        array = Array(channels=channels, faults=f"{kind}@{at}" + ("+3ms" if kind == "unplug" else ""))
        first = array.scan().values
        wrong = ~(np.isnan(first) | (np.abs(first - truth) < 0.05))
        assert not wrong.any(), f"{kind}@{at}: {first}"
        array.clock.sleep_until_us(array.clock.now_us() + 10_000)
        assert not np.isnan(array.scan().values).any()
        if kind in ("nack", "stuck"):
            assert array.counters.get(f"bus_{kind}") == 1


class Pages:
    """Takes the bus all the time but for `free_us` before each page, which must not wait."""

    def __init__(self, clock: Clock, free_us: int) -> None:
        self._clock, self._free_us = clock, free_us
        self.due_us = clock.now_us() + free_us
        self.late_by_us: list[int] = []

    @property
    def late_us(self) -> int:
        return self.due_us

    def poll(self) -> None:
        self.late_by_us.append(self._clock.now_us() - self.due_us)
        self.due_us += PAGE_US
        self._clock.sleep_until_us(self.due_us - self._free_us)


@pytest.mark.parametrize("free_us", [400, 1000])
def test_a_scan_fits_into_slices_too_short_for_a_conversion_and_makes_no_page_late(free_us: int) -> None:
    """A conversion takes longer than the bus is ever free."""
    array = Array()
    pages = Pages(array.clock, free_us)
    scheduler = Scheduler([array.driver, cast(Driver, pages)], [array.settings, CAMERA], array.clock)
    end_us, scans = array.clock.now_us() + 10_000_000, 0
    while array.clock.now_us() < end_us:
        scans += scheduler.poll(end_us)[1] is not None
    assert scans in (20, 21)
    assert set(pages.late_by_us) == {0}


def test_where_pages_leave_no_time_a_late_scan_goes_on_at_their_expense() -> None:
    array = Array()
    pages = Pages(array.clock, 0)
    scheduler = Scheduler([array.driver, cast(Driver, pages)], [array.settings, CAMERA], array.clock)
    end_us, scans = array.clock.now_us() + 200 * PAGE_US, 0
    while array.clock.now_us() < end_us:
        scans += scheduler.poll(end_us)[1] is not None
    assert scans >= 2
    assert len(pages.late_by_us) > 190


def test_it_waits_for_a_conversion_where_there_is_time() -> None:
    array = Array()
    block = array.advance(array.clock.now_us() + 50_000)
    assert block is not None
    assert 4 * CONVERSION_US < block.time_us < 4 * CONVERSION_US + 3_000
    assert array.advance(array.clock.now_us() + 50_000) is None
    assert array.counters.get("blocks_captured") == 1


def test_scans_keep_their_rate_and_are_numbered() -> None:
    array = Array(rate_hz=4.0)
    blocks = []
    while array.clock.now_us() < 10_000_000:
        block = array.advance(array.clock.now_us() + 20_000)
        if block is not None:
            blocks.append(block)
        array.clock.sleep_until_us(array.clock.now_us() + 20_000)
    assert [block.index for block in blocks] == list(range(41))


def test_an_upper_divider_reads_the_same_temperature() -> None:
    array = Array(channels=(Thermistor(name="t"), Thermistor(name="u", ntc="to supply")))
    first, second = array.scan().values
    assert (first - 25) * (second - 25) < 0


class Steady:
    """Scans of a wearable whose bath does not move, and what they say."""

    def __init__(self, celsius: float = 33.0, rate_hz: float = 1.0) -> None:
        self.array = Array(rate_hz=rate_hz)
        self.array.hardware.set_bath(celsius)

    def run(self, seconds: float) -> list[Sample]:
        until_us, said = self.array.clock.now_us() + round(seconds * 1e6), []
        while self.array.clock.now_us() < until_us:
            block = self.array.advance(until_us)
            if block is not None:
                said.append(self.array.read(block))
        return said


@pytest.mark.parametrize("celsius", [-20.0, 5.0, 33.0, 60.0])
@pytest.mark.parametrize("rate_hz", [0.5, 1.0, 4.0])
def test_an_adc_that_hangs_is_told_within_half_a_minute_and_one_that_is_steady_is_not(
    celsius: float, rate_hz: float
) -> None:
    steady = Steady(celsius, rate_hz)
    spots: Any = steady.array.hardware.chips["spots"]
    spots._noise_v = 0.0
    assert not any(one.flags & Quality.STALE or np.isnan(one.values).any() for one in steady.run(120))
    begun_s = steady.array.clock.now_us() / 1e6
    steady.array.hardware.bus.faults.add("freeze+60s:addr=0x48")
    frozen = steady.run(59)
    told = [one for one in frozen if one.flags & Quality.STALE]
    assert told[0].time_us / 1e6 - begun_s <= 15
    assert all(np.isnan(one.values).all() for one in told)
    assert all(one.flags & Quality.STALE for one in frozen[frozen.index(told[0]) :])
    assert steady.array.counters.get("sensor_frozen") == 1
    steady.run(10)
    assert not any(one.flags & Quality.STALE for one in steady.run(60))


def test_a_wider_range_that_cannot_be_read_says_nothing_of_the_adc() -> None:
    steady = Steady()
    steady.run(8.5)
    steady.array.hardware.bus.faults.add("flip:p=0.2")
    said = steady.run(600)
    assert len(said) > 500
    assert not any(one.flags & Quality.STALE for one in said)
    assert steady.array.counters.get("sensor_frozen") == 0


def test_its_rate_is_the_profile_s() -> None:
    with pytest.raises(UsageError, match="spots"):
        Array().driver.set_rate(1.0)


def test_counts_are_those_of_the_adc() -> None:
    array = Array()
    block = array.advance(array.clock.now_us() + 50_000)
    assert block is not None
    assert all(0 < counts < 32768 for counts in codec.decode(block.data, 4).tolist())
