"""Thermistors through a simulated ADS1115: temperatures, wiring, faults, and that pictures are never late for them."""

from dataclasses import replace

import pytest
from thermo_core.profile import Thermistors as Settings
from thermo_core.profile import ThermistorSettings
from thermo_device.thermistors import CONVERSION_US, ThermistorArray

from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState, SteinhartHart
from thermo_device.counters import Counters
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.thermistor import Wiring


def _array(
    seed: int = 4, faults: str = "", rate_hz: float = 2.0, channels: int = 4
) -> tuple[ThermistorArray, SimulatedHardware, Counters]:
    hardware = SimulatedHardware.from_profile(seed=seed, faults=faults, warm_up_tau_s=0)
    counters = Counters()
    settings = Settings(rate_hz=rate_hz, channels=tuple(ThermistorSettings(f"t{n}") for n in range(channels)))
    return ThermistorArray(hardware.bus, hardware.clock, settings, counters), hardware, counters


def _true_curves(hardware: SimulatedHardware) -> list[SteinhartHart | None]:
    return [SteinhartHart(ntc.a, ntc.b, ntc.c) for ntc in hardware.ntcs]


@pytest.mark.parametrize("celsius", [5.0, 20.0, 33.5, 37.0, 45.0])
def test_catalogue_curves_are_good_to_a_kelvin_and_calibrated_ones_to_a_tenth(celsius: float) -> None:
    array, hardware, _ = _array()
    hardware.set_thermistors(celsius)
    for reading in array.scan().channels:
        assert reading.state == ChannelState.OK
        assert reading.celsius == pytest.approx(celsius, abs=1.0)
    array.set_curves(_true_curves(hardware))
    for ntc, reading in zip(hardware.ntcs, array.scan().channels, strict=True):
        ohm_error_k = abs(ntc.series_ohm / 10_000 - 1) * 30
        assert reading.celsius == pytest.approx(celsius, abs=0.12 + ohm_error_k)


def test_missing_curves_keep_those_of_the_profile() -> None:
    array, hardware, _ = _array()
    before = array.scan().channels
    array.set_curves([None, _true_curves(hardware)[1]])
    after = array.scan().channels
    assert after[0].celsius == pytest.approx(before[0].celsius, abs=0.02)
    assert after[3].celsius == pytest.approx(before[3].celsius, abs=0.02)
    assert after[1].celsius != pytest.approx(before[1].celsius, abs=0.02)


def test_open_and_shorted_channels_are_told_apart_and_have_no_temperature() -> None:
    array, hardware, _ = _array()
    hardware.set_wiring(1, Wiring.OPEN)
    hardware.set_wiring(2, Wiring.SHORTED)
    states = [(reading.state, reading.celsius is None) for reading in array.scan().channels]
    assert states == [
        (ChannelState.OK, False),
        (ChannelState.OPEN, True),
        (ChannelState.SHORTED, True),
        (ChannelState.OK, False),
    ]


def test_a_missing_adc_reads_as_missing_and_is_found_when_it_comes() -> None:
    array, hardware, counters = _array()
    hardware.bus.unplug(address=0x48)
    for _ in range(3):
        assert {reading.state for reading in array.scan().channels} == {ChannelState.MISSING}
    assert counters.get("thermistor_lost") == 1
    hardware.bus.plug()
    assert {reading.state for reading in array.scan().channels} == {ChannelState.OK}


@pytest.mark.parametrize("kind", ["nack", "stuck", "flip", "short", "unplug"])
def test_each_fault_at_each_transaction_of_a_scan_gives_no_wrong_temperature(kind: str) -> None:
    array, hardware, _ = _array(channels=2)
    truth = [reading.celsius for reading in array.scan().channels]
    transactions = hardware.bus.transactions
    assert transactions == 2 * 4
    for at in range(transactions):
        array, hardware, counters = _array(channels=2, faults=f"{kind}@{at}" + ("+3ms" if kind == "unplug" else ""))
        first = array.scan()
        for reading, celsius in zip(first.channels, truth, strict=True):
            assert reading.state == ChannelState.MISSING or reading.celsius == pytest.approx(celsius, abs=0.05)
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 10_000)
        assert {reading.state for reading in array.scan().channels} == {ChannelState.OK}
        if kind in ("nack", "stuck"):
            assert counters.get(f"bus_{kind}") == 1


def test_a_scan_fits_into_slices_too_short_for_a_conversion() -> None:
    array, hardware, _ = _array(rate_hz=100.0)
    readings = 0
    for _ in range(400):
        now_us = hardware.clock.now_us()
        if array.advance(now_us + 400) is not None:
            readings += 1
        assert hardware.clock.now_us() <= now_us + 400
        hardware.clock.sleep_until_us(now_us + 15_625)
    assert readings == 400 // 12 or readings == 400 // 16


def test_it_waits_for_a_conversion_where_there_is_time() -> None:
    array, hardware, counters = _array()
    reading = array.advance(hardware.clock.now_us() + 50_000)
    assert reading is not None
    assert 4 * CONVERSION_US < reading.time_us < 4 * CONVERSION_US + 3_000
    assert array.advance(hardware.clock.now_us() + 50_000) is None
    assert counters.get("thermistor_scans") == 1


def test_scans_keep_their_rate() -> None:
    array, hardware, _ = _array(rate_hz=4.0)
    times = []
    while hardware.clock.now_us() < 10_000_000:
        reading = array.advance(hardware.clock.now_us() + 20_000)
        if reading is not None:
            times.append(reading.time_us)
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 20_000)
    assert len(times) == 41


def test_without_any_free_time_a_late_scan_goes_on_at_the_pictures_expense() -> None:
    array, hardware, counters = _array(rate_hz=2.0)
    for _ in range(200):
        array.advance(hardware.clock.now_us())
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 15_625)
    assert counters.get("thermistor_scans") >= 2


def test_an_upper_divider_reads_the_same_temperature() -> None:
    _, hardware, _ = _array()
    lower = ThermistorSettings("t")
    upper = replace(lower, ntc_to_ground=False)
    settings = Settings(channels=(lower, upper))
    array = ThermistorArray(hardware.bus, hardware.clock, settings, Counters())
    first, second = array.scan().channels
    assert first.celsius is not None and second.celsius is not None
    assert (first.celsius - 25) * (second.celsius - 25) < 0
