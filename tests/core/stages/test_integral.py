"""integral: sums against float64, gaps, what is not believed."""

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality


@few(20)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5))
def test_a_day_of_watts_loses_nothing(seed: int, lacking: float) -> None:
    rng = np.random.default_rng(seed)
    watts = rng.uniform(70, 900, 8640).astype(np.float32)
    watts[rng.random(8640) < lacking] = np.nan
    made = wearable(
        sensor(rate_hz=0.1, unit="W"), {"op": "integral", "of": "x", "gives": "y", "factor": 1 / 4184, "unit": "kcal"}
    )
    found = run(made, x=samples(watts, np.arange(8640) * 10_000_000))["y"]
    wanted = np.cumsum(np.nan_to_num(watts.astype(np.float64)) * 10 / 4184)
    begun = np.cumsum(~np.isnan(watts)) > 0
    np.testing.assert_allclose(found.values[begun], wanted[begun], rtol=1e-6)
    assert np.isnan(found.values[~begun]).all()
    np.testing.assert_array_equal((found.flags & Quality.FILLED) != 0, np.isnan(watts))


def test_a_gap_counts_one_period_and_doubt_nothing() -> None:
    made = wearable(sensor(rate_hz=1.0), {"op": "integral", "of": "x", "gives": "y"})
    times_us = [0, 1_500_000, 100_000_000, 101_000_000]
    found = run(made, x=samples([2.0, 2.0, 2.0, 2.0], times_us, [0, 0, 0, int(Quality.OFF_SKIN)]))["y"]
    np.testing.assert_allclose(found.values, [2.0, 5.0, 7.0, 7.0])
    assert found.flags[3] == Quality.OFF_SKIN | Quality.FILLED


def test_what_comes_now_and_then_has_no_integral() -> None:
    with pytest.raises(ProfileError, match="resample"):
        wearable(sensor(rate_hz=0.0), {"op": "integral", "of": "x", "gives": "y"})
