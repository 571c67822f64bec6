"""kalman_core against ECTemp as its authors print it, in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.signals import Series

MINUTE_US = 60_000_000


def ectemp(rates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Core temperature and SD each minute; NaN for no heart rate."""
    core, variance, found = 37.0, 0.0, []
    for rate in rates.astype(np.float64):
        variance += 0.022**2
        if np.isfinite(rate):
            slope = 2 * -4.5714 * core + 384.4286
            gain = variance * slope / (slope**2 * variance + 18.88**2)
            core += gain * (rate - (-4.5714 * core**2 + 384.4286 * core - 7887.1))
            variance *= 1 - gain * slope
        found.append((core, np.sqrt(variance)))
    return np.array(found)


def estimated(rates: NDArray[np.float32], times_us: NDArray[np.int64] | None = None, flags: object = None) -> Series:
    made = wearable(sensor(rate_hz=1 / 60, unit="bpm"), {"op": "kalman_core", "of": "x", "gives": "y"})
    at = np.arange(len(rates)) * MINUTE_US if times_us is None else times_us
    return run(made, x=samples(rates, at, flags))["y"]


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5))
def test_a_day_of_heart_rates(seed: int, lacking: float) -> None:
    rng = np.random.default_rng(seed)
    rates = (85 + 40 * np.sin(np.arange(1440) / rng.uniform(20, 200)) + rng.normal(0, 5, 1440)).astype(np.float32)
    rates[rng.random(1440) < lacking] = np.nan
    found = estimated(rates)
    np.testing.assert_allclose(found.values, ectemp(rates), rtol=0, atol=5e-5)
    np.testing.assert_array_equal((found.flags & Quality.FILLED) != 0, np.isnan(rates))


def test_doubtful_heart_rates_are_not_taken_and_their_spread_grows() -> None:
    rates = np.array([100, 180, 180, 100], np.float32)
    found = estimated(rates, flags=[0, Quality.MOVING, Quality.OFF_SKIN, Quality.UNCALIBRATED])
    np.testing.assert_allclose(found.values, ectemp(np.array([100, np.nan, np.nan, 100], np.float32)), atol=5e-5)
    assert found.flags.tolist() == [0, 0x800 | 64, 0x800 | 1, 256]


def test_a_night_without_samples_is_outlived() -> None:
    rates = np.full(60, 120.0, np.float32)
    times_us = np.concatenate([np.arange(30), 510 + np.arange(30)]) * MINUTE_US
    found = estimated(rates, times_us)
    filled = np.concatenate([rates[:30], np.full(480, np.nan, np.float32), rates[30:]])
    wanted = ectemp(filled)[np.r_[:30, 510:540]]
    np.testing.assert_allclose(found.values, wanted, atol=5e-5)
    assert not found.fresh.any()


def test_another_heart_sensor_starts_anew() -> None:
    made = wearable(sensor(rate_hz=1 / 60), {"op": "kalman_core", "of": "x", "gives": "y", "start": 38.0})
    fresh = np.arange(20) == 10
    found = run(made, x=samples(np.full(20, 90.0), np.arange(20) * MINUTE_US, fresh=fresh))["y"]
    np.testing.assert_array_equal(found.values[:10], found.values[10:])
    np.testing.assert_array_equal(found.fresh, fresh)


def test_an_estimate_beyond_what_the_method_was_made_for_is_flagged() -> None:
    found = estimated(np.full(600, 230.0, np.float32))
    beyond = (found.values[:, 0] < 36.5) | (found.values[:, 0] > 39.5)
    np.testing.assert_array_equal((found.flags & Quality.OUT_OF_DOMAIN) != 0, beyond)
    assert beyond.any() and not beyond.all()


@pytest.mark.parametrize(("shape", "rate_hz"), [((), 1.0), ((2,), 1 / 60), ((), 0.0)])
def test_what_is_no_heart_rate_a_minute_is_refused(shape: tuple[int, ...], rate_hz: float) -> None:
    with pytest.raises(ProfileError, match=r"resample|select"):
        wearable(sensor(shape=shape, rate_hz=rate_hz), {"op": "kalman_core", "of": "x", "gives": "y"})
