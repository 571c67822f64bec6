"""bandpass against scipy.signal."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.stages.bandpass import gain, sections

PULSE = {"op": "bandpass", "low_hz": 0.7, "high_hz": 3.5}


def filtered(values: NDArray[np.float32], order: int = 2, rate_hz: float = 25.0) -> NDArray[np.float64]:
    """What SciPy makes of it, at rest on the first number."""
    sos = scipy.signal.butter(order, (0.7, 3.5), "bandpass", output="sos", fs=rate_hz)
    state = scipy.signal.sosfilt_zi(sos) * values[0]
    found, _ = scipy.signal.sosfilt(sos, values.astype(np.float64), zi=state)
    return np.asarray(found, np.float64)


@given(st.integers(1, 4), st.floats(0.02, 0.2), st.floats(1.5, 10))
def test_the_response_is_that_of_a_butterworth_band_pass(order: int, low: float, ratio: float) -> None:
    high = min(low * ratio, 0.45)
    sos = scipy.signal.butter(order, (low, high), "bandpass", output="sos", fs=1.0)
    found = sections(low, high, order, 1.0)
    frequencies = np.linspace(0.001, 0.499, 50)
    _, wanted = scipy.signal.sosfreqz(sos, 2 * np.pi * frequencies)
    # Coefficients are rounded to float32.
    assert [gain(found, f, 1.0) for f in frequencies] == pytest.approx(abs(wanted), abs=1e-3)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_pulse_comes_through_as_scipy_has_it(order: int) -> None:
    rng = np.random.default_rng(order)
    t = np.arange(1500) / 25
    wave = (1e5 + 300 * np.sin(2 * np.pi * 1.2 * t) + 2e3 * np.sin(0.3 * t) + rng.normal(0, 20, 1500)).astype(
        np.float32
    )
    found = one(PULSE | {"order": order}, wave, rate_hz=25.0)
    # float32 of a level of 1e5 has steps of 0.008.
    np.testing.assert_allclose(found, filtered(wave, order), rtol=0, atol=0.5)
    assert found[500:].std() == pytest.approx(300 / np.sqrt(2), rel=0.1)


def test_a_level_gives_nothing_from_the_first_sample_on() -> None:
    assert not one(PULSE, np.full(50, 123_456.0), rate_hz=25.0).any()


def test_missing_numbers_are_bridged_and_many_start_anew() -> None:
    wave = (1000 + 50 * np.sin(np.arange(400) / 3)).astype(np.float32)
    holes = wave.copy()
    holes[[100, 200, 201, 202]] = np.nan
    held = wave.copy()
    held[100], held[200:203] = wave[99], wave[199]
    found = one(PULSE, holes, rate_hz=25.0)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holes))
    known = ~np.isnan(holes)
    np.testing.assert_array_equal(found[known], one(PULSE, held, rate_hz=25.0)[known])
    holes[300:304] = np.nan
    after = one(PULSE, holes, rate_hz=25.0)[304:]
    np.testing.assert_array_equal(after, one(PULSE, wave[304:], rate_hz=25.0))


def test_what_leaves_float32_does_not_stay() -> None:
    wave = np.sin(np.arange(300) / 3).astype(np.float32)
    wave[50:60] = 3e38 * np.tile([1, -1], 5)
    found = one(PULSE | {"order": 4}, wave, rate_hz=25.0)
    assert np.isfinite(found[100:]).all()
    assert np.isnan(one(PULSE, [1, np.inf, 2, 3], rate_hz=25.0)).tolist() == [False, True, False, False]


def test_a_flag_goes_on_for_a_period_of_the_slow_edge() -> None:
    made = wearable(sensor(rate_hz=25.0), {"of": "x", "gives": "y"} | PULSE)
    flags = np.zeros(60, np.uint16)
    flags[3] = Quality.MOVING
    found = run(made, x=samples(np.ones(60), np.arange(60) * 40_000, flags))["y"]
    assert np.flatnonzero(found.flags).tolist() == list(range(3, 3 + round(25 / 0.7)))


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "rate_hz"), [(2.0, 1.0, 25.0), (1.0, 12.5, 25.0), (1.0, 2.0, 0.0), (0.0005, 0.001, 100.0)]
)
def test_what_cannot_be_filtered_is_refused(low_hz: float, high_hz: float, rate_hz: float) -> None:
    stage = {"op": "bandpass", "of": "x", "gives": "y", "low_hz": low_hz, "high_hz": high_hz, "order": 4}
    with pytest.raises(ProfileError, match=r"low_hz below|at a rate|too narrow"):
        wearable(sensor(rate_hz=rate_hz), stage)
