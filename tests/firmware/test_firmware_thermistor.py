"""The firmware's thermistors against thermo_core, at every count the ADC can give."""

import ctypes
from typing import Any

import numpy as np
import pytest

from thermo_core.sensors.ads1115_ntc.settings import Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import RAIL, AdcScale, ChannelState, SteinhartHart, ThermistorChannel

COUNTS = np.arange(-32768, 32768)
STEINHART_HART = (1.129241e-3, 2.341077e-4, 8.775468e-8)
BETA = (10_000.0, 3950.0)


def tip(
    series_ohm: float = 10_000.0,
    supply_v: float = 3.3,
    to_ground: bool = True,
    curve: tuple[float, ...] = BETA,
    heating: float = 0.0,
) -> Thermistor:
    return Thermistor(
        name="tip",
        series_ohm=series_ohm,
        supply_v=supply_v,
        ntc="to ground" if to_ground else "to supply",
        curve=curve,
        self_heating_k_per_mw=heating,
    )


def read(
    numerics: Any, settings: Thermistor, counts: int, calibrated: SteinhartHart | None = None
) -> tuple[int, float]:
    curve = (*settings.curve, 0.0)[:3]
    profile = np.array([settings.series_ohm, settings.supply_v, *curve, settings.self_heating_k_per_mw], np.float32)
    own = None if calibrated is None else np.array([calibrated.a, calibrated.b, calibrated.c], np.float32)
    celsius = np.zeros(1, np.float32)
    state = numerics.c.shim_thermistor(
        ctypes.c_void_p(profile.ctypes.data),
        int(settings.ntc == "to ground"),
        int(len(settings.curve) == 3),
        None if own is None else ctypes.c_void_p(own.ctypes.data),
        ctypes.c_int16(counts),
        ctypes.c_void_p(celsius.ctypes.data),
    )
    return state, float(celsius[0])


@pytest.mark.parametrize("to_ground", [True, False])
@pytest.mark.parametrize("curve", [STEINHART_HART, BETA])
@pytest.mark.parametrize(("supply", "series"), [(3.3, 10_000.0), (3.0, 4_700.0), (5.0, 100_000.0)])
@pytest.mark.parametrize("heating", [0.0, 0.9])
def test_every_count_reads_as_in_core(
    numerics: Any, to_ground: bool, curve: tuple[float, ...], supply: float, series: float, heating: float
) -> None:
    settings = tip(series, supply, to_ground, curve, heating)
    channel = ThermistorChannel.from_settings(settings)
    celsius, state = channel.celsius(COUNTS)
    share = AdcScale().volts(COUNTS) / supply
    at_a_limit = np.minimum(np.abs(share - RAIL), np.abs(share - (1 - RAIL))) < 1e-7
    for place in range(0, COUNTS.size, 97):
        check(read(numerics, settings, int(COUNTS[place])), state[place], celsius[place])
    for place in np.flatnonzero(np.diff(state, prepend=state[0])):
        for near in range(max(0, place - 3), min(COUNTS.size, place + 3)):
            if not at_a_limit[near]:
                check(read(numerics, settings, int(COUNTS[near])), state[near], celsius[near])


def check(got: tuple[int, float], state: Any, celsius: Any) -> None:
    assert got[0] == state
    assert got[1] == pytest.approx(celsius, abs=0.01 if celsius < 150 else 0.1)


def test_the_default_wiring_has_the_same_limits_to_the_count(numerics: Any) -> None:
    settings = tip()
    channel = ThermistorChannel.from_settings(settings)
    for counts in [*range(125, 140), *range(26_260, 26_276), 32_767, 32_766, -32_768, 0]:
        assert read(numerics, settings, counts)[0] == channel.celsius(counts)[1], counts


def test_a_calibrated_curve_replaces_the_profiles(numerics: Any) -> None:
    settings = tip()
    curve = SteinhartHart(*STEINHART_HART)
    ohm, _ = ThermistorChannel.from_settings(settings).ohm(12_000)
    state, celsius = read(numerics, settings, 12_000, curve)
    assert state == ChannelState.OK
    assert celsius == pytest.approx(float(curve.celsius(ohm)), abs=0.01)


@pytest.mark.parametrize(
    "curve", [(1e-3, -2e-4, 0.0), (1e-3, 2e-4, -1e-5), (float("nan"), 2e-4, 0.0), (1e4, 0.0), (-1.0, 1.0)]
)
def test_constants_of_no_ntc_are_refused(numerics: Any, curve: tuple[float, ...]) -> None:
    assert read(numerics, tip(curve=curve), 12_000)[0] == -1
