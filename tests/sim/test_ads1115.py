"""The simulated ADS1115 and its thermistors against data sheet and closed forms."""

import math
from typing import Any

import pytest
from smbus2 import i2c_msg

from thermo_sim.chips.ads1115_ntc.adc import DATA_RATES_HZ, FULL_SCALE_V, SimulatedAds1115
from thermo_sim.chips.ads1115_ntc.kind import SimulatedThermistors
from thermo_sim.chips.ads1115_ntc.ntc import Ntc, Wiring
from thermo_sim.clock import VirtualClock
from thermo_sim.faults import FaultPlan
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import Surface, steady

VOLTS = (0.5, 1.0, 1.5, 2.0)
SINGLE = 0x8103


@pytest.fixture
def bus() -> SimulatedBus:
    bus = SimulatedBus(VirtualClock(), 400_000)
    bus.attach(SimulatedAds1115(lambda channel, _time_s: VOLTS[channel], noise_v=0.0, seed=4))
    return bus


def _read(bus: SimulatedBus, register: int | None = None) -> int:
    message = i2c_msg.read(0x48, 2)
    if register is None:
        bus.i2c_rdwr(message)
    else:
        bus.i2c_rdwr(i2c_msg.write(0x48, [register]), message)
    return int.from_bytes(bytes(message), "big")


def _write(bus: SimulatedBus, register: int, word: int) -> None:
    bus.i2c_rdwr(i2c_msg.write(0x48, [register, word >> 8, word & 0xFF]))


def _convert(bus: SimulatedBus, config: int) -> int:
    _write(bus, 1, config)
    while not _read(bus, 1) & 0x8000:
        pass
    return int.from_bytes(_read(bus, 0).to_bytes(2, "big"), "big", signed=True)


def test_defaults_and_the_pointer_that_survives(bus: Any) -> None:
    assert _read(bus, 1) == 0x8583
    assert _read(bus) == 0x8583
    assert _read(bus, 3) == 0x7FFF
    assert _read(bus) == 0x7FFF
    assert _read(bus, 0) == 0


@pytest.mark.parametrize("gain", range(8))
def test_each_full_scale(bus: Any, gain: int) -> None:
    expected = min(32767, round(0.5 / FULL_SCALE_V[gain] * 32768))
    assert _convert(bus, SINGLE | 4 << 12 | gain << 9 | 7 << 5) == expected


@pytest.mark.parametrize(
    ("mux", "volts"), [(0, -0.5), (1, -1.5), (2, -1.0), (3, -0.5), (4, 0.5), (5, 1.0), (6, 1.5), (7, 2.0)]
)
def test_each_multiplexer_setting(bus: Any, mux: int, volts: float) -> None:
    assert _convert(bus, SINGLE | mux << 12 | 1 << 9 | 7 << 5) == round(volts / 4.096 * 32768)


@pytest.mark.parametrize(("code", "hz"), list(enumerate(DATA_RATES_HZ)))
def test_a_conversion_takes_its_time_within_ten_percent(bus: Any, code: int, hz: int) -> None:
    _write(bus, 1, SINGLE | 4 << 12 | 1 << 9 | code << 5)
    started_us = bus.clock.now_us()
    assert not _read(bus, 1) & 0x8000
    bus.clock.sleep_until_us(started_us + round(0.88e6 / hz) - 100)
    assert not _read(bus, 1) & 0x8000
    bus.clock.sleep_until_us(started_us + round(1.1e6 / hz) + 100)
    assert _read(bus, 1) & 0x8000


def test_continuous_conversion_follows_its_input() -> None:
    bus = SimulatedBus(VirtualClock(), 400_000)
    bus.attach(SimulatedAds1115(lambda _channel, time_s: time_s, noise_v=0.0))
    _write(bus, 1, 0x4003 | 1 << 9 | 7 << 5)
    assert not _read(bus, 1) & 0x8000
    for _ in range(5):
        bus.clock.sleep_until_us(bus.clock.now_us() + 300_000)
        now_s = bus.clock.now_us() / 1e6
        assert 0 <= now_s - _read(bus, 0) / 32768 * 4.096 < 1.2 / 860 + 1e-3


def test_writing_the_conversion_register_changes_nothing_and_a_general_call_resets(bus: Any) -> None:
    counts = _convert(bus, SINGLE | 4 << 12 | 1 << 9)
    _write(bus, 0, 0x1234)
    assert _read(bus, 0) == counts
    bus.i2c_rdwr(i2c_msg.write(0x00, b"\x06"))
    assert _read(bus, 1) == 0x8583


def test_noise_has_the_size_asked_for() -> None:
    bus = SimulatedBus(VirtualClock(), 400_000)
    bus.attach(SimulatedAds1115(lambda _channel, _time_s: 1.0, noise_v=1e-3))
    values = [_convert(bus, SINGLE | 4 << 12 | 1 << 9 | 7 << 5) / 32768 * 4.096 for _ in range(400)]
    mean = sum(values) / len(values)
    assert mean == pytest.approx(1.0, abs=3e-4)
    assert math.sqrt(sum((v - mean) ** 2 for v in values) / 399) == pytest.approx(1e-3, rel=0.15)


@pytest.mark.parametrize("celsius", [-20.0, 0.0, 25.0, 33.5, 42.0, 85.0])
def test_resistance_solves_the_steinhart_hart_equation(celsius: float) -> None:
    ntc = Ntc.random(7, 2, 10_000, 3950, 10_000)
    log = math.log(ntc.ohm(celsius))
    assert 1 / (ntc.a + ntc.b * log + ntc.c * log**3) - 273.15 == pytest.approx(celsius, abs=1e-9)


def test_a_part_follows_its_beta_near_25_degc_and_bends_away_from_it() -> None:
    ntc = Ntc.from_beta(10_000, 3950)
    assert ntc.ohm(25.0) == pytest.approx(10_000, rel=1e-9)
    slope = (math.log(ntc.ohm(25.01)) - math.log(ntc.ohm(24.99))) / (1 / 298.16 - 1 / 298.14)
    assert slope == pytest.approx(3950, rel=1e-4)
    beta_curve = 10_000 * math.exp(3950 * (1 / 315.15 - 1 / 298.15))
    assert 1e-4 < abs(ntc.ohm(42.0) / beta_curve - 1) < 0.02


def test_parts_differ_by_little_and_by_seed() -> None:
    nominal = Ntc.from_beta(10_000, 3950)
    for seed in range(30):
        part = Ntc.random(seed, 0, 10_000, 3950, 10_000)
        assert part != Ntc.random(seed, 1, 10_000, 3950, 10_000)
        error_k = (part.ohm(33.5) / nominal.ohm(33.5) - 1) / 0.042
        assert 0 < abs(error_k) < 1.0


def test_the_divider_open_and_shorted_leads_and_self_heating() -> None:
    ntc = Ntc.from_beta(10_000, 3950)
    assert ntc.volts(25.0) == pytest.approx(1.65, rel=1e-9)
    assert Ntc(ntc.a, ntc.b, ntc.c, wiring=Wiring.OPEN).volts(25.0) == 3.3
    assert Ntc(ntc.a, ntc.b, ntc.c, wiring=Wiring.SHORTED).volts(25.0) == 0.0
    warm = Ntc(ntc.a, ntc.b, ntc.c, self_heating_k_per_mw=1.0)
    # 1.65 V across 10 kohm is 0.27 mW, so 0.27 K.
    assert warm.volts(25.0) == pytest.approx(ntc.volts(25.2723), abs=2e-4)


def _thermistors(faults: str, skin: float = 34.0, air: float = 20.0) -> tuple[SimulatedBus, SimulatedThermistors]:
    """Two ideal NTCs on skin."""
    ntcs = (Ntc.from_beta(10_000, 3950), Ntc.from_beta(10_000, 3950))
    chip = SimulatedThermistors(ntcs, (steady(skin), steady(skin)), 0x48, 1, steady(air))
    bus = SimulatedBus(VirtualClock(), 400_000, FaultPlan(faults))
    bus.attach(chip)
    return bus, chip


def _celsius(bus: SimulatedBus, channel: int = 0) -> float:
    """What a channel says, by the ideal NTC's curve."""
    counts = _convert(bus, SINGLE | (4 + channel) << 12 | 1 << 9 | 7 << 5)
    volts = counts / 32768 * 4.096
    ohm = 10_000 * volts / (3.3 - volts)
    ntc, log = Ntc.from_beta(10_000, 3950), math.log(ohm)
    return 1 / (ntc.a + ntc.b * log + ntc.c * log**3) - 273.15


def test_thermistors_drift_lose_touch_and_feel_the_air_change() -> None:
    bus, _ = _thermistors("drift:by=2.0")
    _celsius(bus)
    bus.clock.sleep_until_us(1_800_000_000)
    assert _celsius(bus) == pytest.approx(35.0, abs=0.05)
    bus, _ = _thermistors("contact+100s:tau=20")
    _celsius(bus)
    bus.clock.sleep_until_us(20_000_000)
    assert [_celsius(bus, channel) for channel in (0, 1)] == pytest.approx([20 + 14 * math.exp(-1)] * 2, abs=0.1)
    bus.clock.sleep_until_us(300_000_000)
    assert _celsius(bus) == pytest.approx(34.0, abs=0.05)
    bus, _ = _thermistors("ambient:by=-8,contact@5")
    for _ in range(4):
        _celsius(bus)
    assert _celsius(bus) == pytest.approx(12.0, abs=0.1)


def test_a_frozen_adc_says_the_same_of_each_input_until_it_thaws() -> None:
    bus, chip = _thermistors("freeze@8+10s")
    before = [_celsius(bus, channel) for channel in (0, 1)]
    chip._surfaces = tuple(Surface(steady(40.0), steady(20.0)) for _ in before)
    assert [_celsius(bus, channel) for channel in (0, 1)] == before
    bus.clock.sleep_until_us(20_000_000)
    assert [_celsius(bus, channel) for channel in (0, 1)] == pytest.approx([40.0] * 2, abs=0.05)


def test_a_dip_of_the_supply_puts_the_adc_to_sleep() -> None:
    bus, _ = _thermistors("")
    _convert(bus, SINGLE | 4 << 12 | 1 << 9 | 7 << 5)
    bus.faults.add("brownout")
    data = i2c_msg.read(0x48, 2)
    bus.i2c_rdwr(i2c_msg.write(0x48, [1]), data)
    assert int.from_bytes(bytes(data), "big") == 0x8583
