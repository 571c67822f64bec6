"""slope against NumPy's least squares in float64, at times as they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality


@given(st.integers(0, 2**32 - 1), st.sampled_from([4.0, 12.0]), st.floats(0, 0.3))
def test_slopes_are_those_of_a_least_squares_line_at_the_times_of_the_samples(
    seed: int, span_s: float, lacking: float
) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(
        sensor(shape=(2,), rate_hz=5.0, unit="degC"),
        {"op": "slope", "of": "x", "gives": "y", "span_s": span_s, "per": "min"},
    )
    times_us = np.cumsum(rng.integers(180_000, 210_000, 90))
    values = (33 + 0.01 * np.arange(90)[:, np.newaxis] + rng.normal(0, 0.02, (90, 2))).astype(np.float32)
    values[rng.random((90, 2)) < lacking] = np.nan
    found = run(made, x=samples(values, times_us))["y"]
    assert made.signals["y"].unit == "K/min"
    length = round(span_s * 5) + 1
    for place in range(90):
        first = max(0, place + 1 - length)
        t = times_us[first : place + 1] // 1000 / 60e3
        for column in range(2):
            x = values[first : place + 1, column].astype(np.float64)
            counts = np.isfinite(x)
            if counts.sum() < max(2, length / 2):
                assert np.isnan(found.values[place, column])
            else:
                wanted = np.polyfit(t[counts] - t[-1], x[counts], 1)[0]
                assert found.values[place, column] == pytest.approx(wanted, rel=1e-4, abs=2e-4)


def test_dropped_samples_do_not_steepen_it() -> None:
    made = wearable(sensor(rate_hz=1.0), {"op": "slope", "of": "x", "gives": "y", "span_s": 20.0})
    times_s = np.array([s for s in range(60) if s % 4 != 3])
    found = run(made, x=samples(0.5 * times_s, times_s * 1_000_000))["y"].values
    np.testing.assert_allclose(found[20:], 0.5, rtol=1e-5)


def test_a_flag_goes_on_as_long_as_its_sample_counts_and_a_gap_starts_anew() -> None:
    made = wearable(sensor(), {"op": "slope", "of": "x", "gives": "y", "span_s": 3.0})
    times_us = np.array([0, 1, 2, 3, 4, 5, 10, 11, 12]) * 1_000_000
    found = run(made, x=samples(range(9), times_us, flags=[0, Quality.MOVING, *[0] * 7]))["y"]
    assert found.flags.tolist() == [0, *[Quality.MOVING] * 4, 0, 0, 0, 0]
    assert np.isnan(found.values).tolist() == [True, False, False, False, False, False, True, False, False]
    assert found.fresh.tolist() == [*[False] * 6, True, False, False]


def test_a_long_recording_has_the_slopes_of_its_parts() -> None:
    values = np.random.default_rng(1).normal(33, 1, 3000).astype(np.float32)
    stage = {"op": "slope", "span_s": 9.0}
    whole = one(stage, values)
    np.testing.assert_array_equal(whole[1509:1600], one(stage, values[1500:1600])[9:])


@pytest.mark.parametrize(("span_s", "rate_hz"), [(0.4, 1.0), (86400.0, 1.0), (1.0, 0.0)])
def test_what_has_no_slope_is_refused(span_s: float, rate_hz: float) -> None:
    with pytest.raises(ProfileError, match=r"span_s|resample"):
        wearable(sensor(rate_hz=rate_hz), {"op": "slope", "of": "x", "gives": "y", "span_s": span_s})
