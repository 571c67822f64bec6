"""average against a float64 mean, and the precision its docstring promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.graph.live import LiveGraph
from thermo_core.signals import Sample


@given(st.integers(1, 40), st.sampled_from([0.0078125, 0.01, 0.5]), st.integers(0, 2**32 - 1))
def test_mean_of_the_last_samples_within_half_a_step(pictures: int, step: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(33, 2, (pictures + 5, 3)).astype(np.float32)
    found = one({"op": "average", "pictures": pictures, "step": step}, values)
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float64), pictures, axis=0)
    np.testing.assert_allclose(found, windows.mean(-1), rtol=0, atol=step / 2 + 1e-5)


def test_noise_falls_with_the_root_of_the_number_and_rounding_adds_little() -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, (4000, 16)).astype(np.float32)
    found = one({"op": "average", "pictures": 16}, noise)[::16]
    step = 0.0078125
    assert found.std() == pytest.approx(np.hypot(0.1, 0.29 * step) / 4, rel=0.03)
    exact = noise.astype(np.float64).reshape(250, 16, 16).mean(1)
    assert (found - exact).std() == pytest.approx(0.29 * step / 4, rel=0.1)


def test_a_missing_number_is_missing_as_long_as_it_is_among_them() -> None:
    values = np.full((8, 2), 30.0, np.float32)
    values[3, 1] = np.nan
    found = one({"op": "average", "pictures": 3}, values)
    np.testing.assert_array_equal(np.isnan(found[:, 1]), [False, True, True, True, False, False])
    assert not np.isnan(found[:, 0]).any()


def test_what_is_beyond_the_steps_saturates() -> None:
    found = one({"op": "average", "pictures": 1, "step": 0.01}, [[1e30], [-np.inf], [327.68], [-327.6]])
    np.testing.assert_allclose(found[:, 0], [327.67, -327.67, 327.67, -327.6], rtol=1e-6)


def test_a_gap_and_a_fresh_sample_start_anew() -> None:
    made = wearable(sensor(), {"op": "average", "of": "x", "gives": "y", "pictures": 2})
    times_us = np.array([0, 1, 2, 7, 8, 9]) * 1_000_000
    found = run(made, x=samples([1, 3, 5, 10, 20, 30], times_us, fresh=[0, 0, 0, 0, 0, 1]))["y"]
    assert found.values.tolist() == [2.0, 4.0, 15.0]
    assert found.fresh.tolist() == [False, False, True]


def test_flags_hold_as_long_as_their_sample_is_among_them() -> None:
    made = wearable(sensor(), {"op": "average", "of": "x", "gives": "y", "pictures": 3})
    found = run(made, x=samples(range(8), flags=[0, 4, 0, 0, 0, 1, 0, 0]))["y"]
    assert found.flags.tolist() == [4, 4, 0, 1, 1, 1]


@pytest.mark.parametrize("value", [-31.5, -1.5, 0.3, 2.25, 31.499998])
def test_a_single_number_is_rounded_as_one_of_many(value: float) -> None:
    """Half a step and what float32 makes of it: live samples of no axis are not computed in float64."""
    stage = {"op": "average", "of": "x", "gives": "y", "pictures": 1, "step": 3.0}
    made = wearable(sensor(), stage)
    (produced,) = LiveGraph(made, {}).push([{"x": Sample(0, np.array(value, np.float32))}])
    assert produced["y"].values == run(made, x=samples([value]))["y"].values[0]
