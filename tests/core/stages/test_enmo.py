"""enmo against its definition in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError

SECOND = {"op": "window", "of": "x", "gives": "second", "length": 25, "every": 25}


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.4))
def test_mean_and_spread_of_each_second(seed: int, lacking: float) -> None:
    rng = np.random.default_rng(seed)
    axes = rng.normal((0, 0, 1), 0.3, (100, 3)).astype(np.float32)
    axes[rng.random(100) < lacking, 1] = np.nan
    made = wearable(sensor(shape=(3,), rate_hz=25.0, unit="g"), SECOND, {"op": "enmo", "of": "second", "gives": "y"})
    found = run(made, x=samples(axes, np.arange(100) * 40_000))["y"].values
    norm = np.linalg.norm(axes.astype(np.float64), axis=1).reshape(4, 25)
    for place in range(4):
        known = norm[place][np.isfinite(norm[place])]
        wanted = [np.maximum(known - 1, 0).mean(), known.std()] if len(known) >= 13 else [np.nan, np.nan]
        np.testing.assert_allclose(found[place], wanted, rtol=1e-5, atol=1e-6)


def test_rest_and_free_fall_are_no_movement() -> None:
    found = one({"op": "enmo"}, [[0, 0, 1], [0.6, -0.8, 0], [0, 0, 0], [0, 3, 4], [0, np.nan, 1], [3e38, 3e38, 3e38]])
    np.testing.assert_allclose(found, [0, 0, 0, 4, np.nan, np.nan], atol=1e-6)


def test_gravity_is_in_the_unit_of_the_signal() -> None:
    assert one({"op": "enmo", "gravity": 9.81}, [[0, 0, 10.81]])[0] == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("shape", [(), (2,), (4, 3)])
def test_what_has_not_three_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ProfileError, match="three axes"):
        wearable(sensor(shape=shape), {"op": "enmo", "of": "x", "gives": "y"})
