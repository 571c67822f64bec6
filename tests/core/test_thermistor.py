"""Thermistors against closed-form solutions and an energy balance worked out here."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from thermo_core.errors import ThermistorError
from thermo_core.sensors.ads1115_ntc.settings import Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import (
    AdcScale,
    Beta,
    ChannelState,
    Divider,
    SteinhartHart,
    ThermistorChannel,
    fit_beta,
    fit_steinhart_hart,
)

TEN_K = SteinhartHart(1.129241e-3, 2.341077e-4, 8.775468e-8)
"""A common 10 kohm NTC, constants as published by its maker."""
CELSIUS = np.linspace(-20, 80, 51)


def cardano(curve: SteinhartHart, celsius: float) -> float:
    """Resistance by the closed solution of the cubic."""
    x = (curve.a - 1 / (celsius + 273.15)) / curve.c
    y = np.sqrt((curve.b / (3 * curve.c)) ** 3 + x * x / 4)
    return float(np.exp(np.cbrt(y - x / 2) - np.cbrt(y + x / 2)))


def test_the_published_curve_has_its_published_resistances() -> None:
    # data sheet: 10 kohm at 25 degC, 32.65 kohm at 0, 3.603 kohm at 50
    np.testing.assert_allclose(TEN_K.celsius([32_650, 10_000, 3_603]), [0, 25, 50], atol=0.02)


@pytest.mark.parametrize("celsius", [-40.0, 0.0, 25.0, 37.0, 120.0])
def test_resistance_equals_the_closed_solution(celsius: float) -> None:
    assert TEN_K.ohm(celsius) == pytest.approx(cardano(TEN_K, celsius), rel=1e-9)


@given(
    r25=st.floats(500, 200_000),
    beta=st.floats(2500, 5000),
    celsius=st.floats(-40, 125),
)
def test_beta_equals_its_definition(r25: float, beta: float, celsius: float) -> None:
    ohm = r25 * np.exp(beta * (1 / (celsius + 273.15) - 1 / 298.15))
    curve = Beta(r25, beta)
    assert curve.celsius(ohm) == pytest.approx(celsius, abs=1e-7)
    assert curve.ohm(celsius) == pytest.approx(ohm, rel=1e-9)


def test_three_points_are_met_exactly() -> None:
    ohm, celsius = np.array([32_650.0, 10_000.0, 3_603.0]), np.array([0.0, 25.0, 50.0])
    np.testing.assert_allclose(fit_steinhart_hart(ohm, celsius).celsius(ohm), celsius, atol=1e-9)


def test_three_points_of_a_curve_give_its_constants() -> None:
    celsius = np.array([5.0, 30.0, 60.0])
    fitted = fit_steinhart_hart([cardano(TEN_K, t) for t in celsius], celsius)
    np.testing.assert_allclose((fitted.a, fitted.b, fitted.c), (TEN_K.a, TEN_K.b, TEN_K.c), rtol=1e-6)


def test_more_points_average_their_noise() -> None:
    rng = np.random.default_rng(1)
    celsius = np.linspace(15, 50, 40)
    ohm = np.array([cardano(TEN_K, t) for t in celsius])
    few, many = [], []
    for _ in range(30):
        noisy = celsius + rng.normal(0, 0.05, celsius.size)
        thin = [0, 20, 39]
        few.append(fit_steinhart_hart(ohm[thin], noisy[thin]).celsius(ohm) - celsius)
        many.append(fit_steinhart_hart(ohm, noisy).celsius(ohm) - celsius)
    assert np.sqrt(np.mean(np.square(many))) < 0.6 * np.sqrt(np.mean(np.square(few)))


def test_beta_is_fitted_from_two_points() -> None:
    truth = Beta(10_000, 3435)
    fitted = fit_beta(truth.ohm([30.0, 40.0]), [30.0, 40.0])
    assert (fitted.r25, fitted.beta) == (pytest.approx(10_000), pytest.approx(3435))


@pytest.mark.parametrize(
    ("ohm", "celsius"),
    [
        ([1e4, 2e4], [25, 10]),
        ([1e4, 1e4, 2e4], [25, 25, 10]),
        ([1e4, 2e4, -1], [25, 10, 5]),
        ([1e4, 2e4, 3e4], [25, np.nan, 5]),
        ([1e4, 2e4, 3e4], [25, 30, 35]),
        ([[1e4, 2e4, 3e4]], [[25, 10, 5]]),
        ([1e4, 2e4, 3e4], [25, 10, -300]),
    ],
)
def test_points_that_make_no_curve_are_refused(ohm: list[float], celsius: list[float]) -> None:
    with pytest.raises(ThermistorError):
        fit_steinhart_hart(ohm, celsius)


@pytest.mark.parametrize("constants", [(1e-3, -2e-4, 1e-7), (np.nan, 2e-4, 1e-7), (1e-3, 2e-4, -1e-5)])
def test_constants_of_no_ntc_are_refused(constants: tuple[float, float, float]) -> None:
    with pytest.raises(ThermistorError):
        SteinhartHart(*constants)


@pytest.mark.parametrize(("r25", "beta"), [(0, 3950), (-1e4, 3950), (1e4, 0), (np.inf, 3950), (1e4, np.nan)])
def test_a_beta_of_no_ntc_is_refused(r25: float, beta: float) -> None:
    with pytest.raises(ThermistorError):
        Beta(r25, beta)


@given(ohm=st.floats(10, 1e6), series=st.floats(100, 1e5), supply=st.floats(1, 5), to_ground=st.booleans())
def test_a_divider_follows_ohms_law(ohm: float, series: float, supply: float, to_ground: bool) -> None:
    divider = Divider(series, supply, to_ground)
    current = supply / (ohm + series)
    volts = current * (ohm if to_ground else series)
    assert divider.volts(ohm) == pytest.approx(volts)
    assert divider.milliwatt(ohm) == pytest.approx(1e3 * current**2 * ohm)
    assume(divider.state(volts) == ChannelState.OK)
    assert divider.ohm(volts) == pytest.approx(ohm, rel=1e-6)


@pytest.mark.parametrize("to_ground", [False, True])
@pytest.mark.parametrize(
    ("ohm", "state"), [(0, ChannelState.SHORTED), (1e12, ChannelState.OPEN), (1e4, ChannelState.OK)]
)
def test_broken_wiring_is_told(to_ground: bool, ohm: float, state: ChannelState) -> None:
    channel = ThermistorChannel("wrist", Divider(ntc_to_ground=to_ground), TEN_K)
    counts = channel.adc.counts(channel.divider.volts(ohm))
    celsius, told = channel.celsius([counts, channel.counts(30.0)])
    assert told.tolist() == [state, ChannelState.OK]
    assert np.isfinite(celsius).all() and celsius[1] == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("to_ground", [False, True])
def test_a_saturated_adc_is_no_temperature(to_ground: bool) -> None:
    channel = ThermistorChannel("wrist", Divider(ntc_to_ground=to_ground), TEN_K, AdcScale(full_scale_v=2.048))
    _, state = channel.celsius([32767])
    assert state.tolist() == [ChannelState.OPEN if to_ground else ChannelState.SHORTED]


@settings(deadline=None)
@given(k=st.floats(0, 2), to_ground=st.booleans())
def test_counts_and_temperature_are_inverse(k: float, to_ground: bool) -> None:
    channel = ThermistorChannel("wrist", Divider(ntc_to_ground=to_ground), TEN_K, self_heating_k_per_mw=k)
    celsius, state = channel.celsius(channel.counts(CELSIUS))
    assert not state.any()
    np.testing.assert_allclose(celsius, CELSIUS, atol=0.01)


def test_the_bead_is_warmer_by_the_power_it_takes() -> None:
    k, medium = 0.5, 30.0
    plain = ThermistorChannel("wrist", Divider(), TEN_K)
    heated = ThermistorChannel("wrist", Divider(), TEN_K, self_heating_k_per_mw=k)
    counts = heated.counts(medium)
    bead = plain.celsius(counts)[0]
    ohm = cardano(TEN_K, float(bead))
    power = 1e3 * ohm * (3.3 / (ohm + 10_000)) ** 2
    assert bead - medium == pytest.approx(k * power, abs=0.005)
    assert heated.celsius(counts)[0] == pytest.approx(medium, abs=0.005)


def test_counts_saturate() -> None:
    adc = AdcScale(2.048)
    assert adc.counts([-5, 0, 5]).tolist() == [-32768, 0, 32767]
    assert adc.volts(16384) == 1.024


def test_a_profile_describes_a_channel() -> None:
    three = Thermistor(name="left", curve=(TEN_K.a, TEN_K.b, TEN_K.c), self_heating_k_per_mw=0.1)
    two = Thermistor(name="right", series_ohm=22_000.0, supply_v=3.0, ntc="to supply", curve=(10_000.0, 3435.0))
    assert ThermistorChannel.from_settings(three).curve == TEN_K
    assert ThermistorChannel.from_settings(three).self_heating_k_per_mw == 0.1
    right = ThermistorChannel.from_settings(two)
    assert right.curve == Beta(10_000, 3435) and right.divider == Divider(22_000, 3.0, False)
