"""recovery against scipy.optimize.curve_fit."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError

Floats = NDArray[np.float64]

SECONDS = 600


def exponential(t: Floats, amplitude: float, tau: float, offset: float) -> Floats:
    return np.asarray(offset + amplitude * np.exp(-t / tau), np.float64)


def fitted(curves: Floats) -> Floats:
    """(columns, 4) of (600, columns), a second apart."""
    count = curves.shape[1]
    made = wearable(
        sensor(shape=(count,)),
        {"op": "window", "of": "x", "gives": "curve", "length": SECONDS},
        {"op": "recovery", "of": "curve", "gives": "y"},
    )
    return np.asarray(run(made, x=samples(curves.astype(np.float32)))["y"].values[0], np.float64)


@given(st.floats(3, 400), st.floats(0.5, 12), st.booleans(), st.floats(20, 36))
def test_a_clean_curve_is_found_again(tau: float, size: float, cooling: bool, offset: float) -> None:
    amplitude = size if cooling else -size
    t = np.arange(SECONDS, dtype=np.float64)
    (found,) = fitted(exponential(t, amplitude, tau, offset)[:, np.newaxis])
    assert found[:3] == pytest.approx([amplitude, tau, offset], rel=2e-3)
    assert found[3] < 5e-4 * size


@given(st.integers(0, 2**32 - 1), st.floats(10, 250))
def test_a_noisy_curve_is_fitted_as_scipy_does(seed: int, tau: float) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(SECONDS, dtype=np.float64)
    x = (exponential(t, -4.0, tau, 33.0) + rng.normal(0, 0.05, SECONDS)).astype(np.float32)
    wanted, covariance = scipy.optimize.curve_fit(exponential, t, x, p0=(-4.0, tau, 33.0))
    (found,) = fitted(x[:, np.newaxis].astype(np.float64))
    apart = np.abs(found[:3] - wanted) / np.sqrt(np.diag(covariance))
    assert (apart < 0.1).all()
    assert found[3] == pytest.approx(np.std(x - exponential(t, *wanted)), rel=1e-3)


def test_where_a_clear_curve_is_asked_for_noise_and_ramps_give_none() -> None:
    t = np.arange(SECONDS, dtype=np.float64)
    noise = np.random.default_rng(5).normal(0, 0.05, (SECONDS, 3))
    curves = noise + np.stack([exponential(t, -4.0, 90.0, 33.0), 0 * t + 33.0, 33.0 + t / 200], axis=1)
    made = wearable(
        sensor(shape=(3,)),
        {"op": "window", "of": "x", "gives": "curve", "length": SECONDS},
        {"op": "recovery", "of": "curve", "gives": "y", "clear": 10.0},
    )
    found = run(made, x=samples(curves.astype(np.float32)))["y"].values[0]
    assert found[0, 1] == pytest.approx(90, rel=0.05)
    assert np.isnan(found[1:]).all()


def test_rows_without_a_value_do_not_count() -> None:
    rng = np.random.default_rng(4)
    t = np.arange(SECONDS, dtype=np.float64)
    x = exponential(t, 5.0, 90.0, 30.0)
    x[rng.random(SECONDS) < 0.4] = np.nan
    (found,) = fitted(x[:, np.newaxis].astype(np.float64))
    assert found[:3] == pytest.approx([5, 90, 30], rel=2e-3)


def test_what_is_no_recovery_says_so() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(33, 0.05, SECONDS)
    flat, few, third = np.full(SECONDS, 33.0), noise.copy(), noise.copy()
    few[::2], few[1] = np.nan, np.nan
    third[:200] = np.nan
    found = fitted(np.stack([noise, flat, few, third], axis=1))
    assert np.isnan(found[1:]).all()
    assert np.isnan(found[0]).all() or abs(found[0, 0]) < 10 * found[0, 3] or found[0, 1] > 1000


@pytest.mark.parametrize("stages", [[], [{"op": "window", "of": "x", "gives": "curve", "length": 7}]])
def test_what_is_no_curve_is_refused(stages: list[dict[str, object]]) -> None:
    with pytest.raises(ProfileError, match="8 rows or more"):
        wearable(sensor(), *stages, {"op": "recovery", "of": "curve" if stages else "x", "gives": "y"})
