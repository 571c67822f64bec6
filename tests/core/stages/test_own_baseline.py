"""own_baseline: middle and spread of one wearer, against SciPy's and closed form; what is far away pulls little."""

from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan
from thermo_core.quality import Quality
from thermo_core.signals import Series


def own(shape: tuple[int, ...] = (), **fields: float) -> Plan:
    return wearable(sensor(shape=shape), {"op": "own_baseline", "of": "x", "gives": "y", "learn_s": 500.0} | fields)


def found(made: Plan, values: Any, **more: Any) -> Series:
    return run(made, x=samples(values, **more))["y"]


@few(8)
@given(st.integers(0, 2**32 - 1), st.floats(-40, 40), st.floats(0.2, 5))
def test_numbers_of_a_steady_wearer_are_standard_normal(seed: int, centre: float, spread: float) -> None:
    """As SciPy's distribution has them, whatever the wearer's level: that is what a baseline of one's own is for."""
    values = centre + spread * np.random.default_rng(seed).standard_normal((6000, 2))
    y = found(own((2,), memory_s=1e6), values).values[3000:]
    shares = norm.cdf([-2, -1, 0, 1, 2])
    for column in y.T:
        np.testing.assert_allclose([(column < at).mean() for at in (-2, -1, 0, 1, 2)], shares, atol=0.07)


def test_until_it_has_learned_it_says_nothing_and_then_it_goes_on_over_pauses() -> None:
    values = np.random.default_rng(0).normal(33, 0.5, 900)
    whole = found(own(), values)
    assert np.isnan(whole.values[:500]).all() and (whole.flags[:500] == Quality.UNCALIBRATED).all()
    assert np.isfinite(whole.values[500:]).all() and not whole.flags[500:].any()
    times_us = (np.arange(900) + 100_000 * (np.arange(900) >= 600)) * 1_000_000
    paused = found(own(), values, times_us=times_us, fresh=np.arange(900) == 700)
    np.testing.assert_allclose(paused.values, whole.values, atol=1e-5)


def test_without_a_bound_the_middle_is_the_mean() -> None:
    values = np.random.default_rng(1).normal(33, 0.5, 100)
    made = own(learn_s=1.0, memory_s=1e6, limit=1e6, least_spread=1e3)
    y = found(made, values).values
    for place in (2, 10, 99):
        assert y[place] * 1e3 == pytest.approx(values[place] - values[:place].mean(), abs=0.05)


def test_it_follows_over_its_memory() -> None:
    values = np.concatenate([np.tile([32.5, 33.5], 1000), np.tile([33.0, 34.0], 1000)])
    y = found(own(memory_s=200.0), values).values
    pairs = y[2000:].reshape(-1, 2).mean(1)
    spread = 1 / (y[1999] - y[1998])
    wanted = 0.5 * (1 - 1 / 200) ** np.arange(0, 2000, 2) * (1 / spread)
    np.testing.assert_allclose(pairs[:200], wanted[:200], atol=0.1)


def test_an_hour_of_fever_and_what_is_doubtful_move_little() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(33, 0.3, 4000)
    ill, off = values.copy(), values.copy()
    ill[2000:2200] += 5.0
    off[2000:2200] = 20.0
    flags = np.where((np.arange(4000) >= 2000) & (np.arange(4000) < 2200), int(Quality.OFF_SKIN), 0)
    made = own(memory_s=1e6)
    calm, fever, taken_off = found(made, values), found(made, ill), found(made, off, flags=flags)
    assert (fever.values[2000:2200] > 5).all(), "it is seen"
    moved, plainly = np.median(calm.values[2200:] - fever.values[2200:]), 5.0 * 200 / 2200 / 0.3
    assert moved < 0.5 < plainly, "a plain mean would have gone up by a spread and a half"
    assert np.abs(taken_off.values[2200:] - calm.values[2200:]).max() < 0.3


def test_a_steady_number_has_the_least_spread_and_none_gives_none() -> None:
    values = np.full((700, 2), 33.0)
    values[600:, 0] = 33.1
    values[650, 1] = np.nan
    y = found(own((2,), least_spread=0.05), values).values
    assert y[600, 0] == pytest.approx(2.0, rel=0.02) and y[599].tolist() == [0, 0]
    assert np.isnan(y[650, 1]) and np.isfinite(y[651, 1])


@pytest.mark.parametrize(("shape", "rate_hz", "says"), [((), 0.0, "resample it first")])
def test_what_it_cannot_take_is_refused(shape: tuple[int, ...], rate_hz: float, says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        wearable(sensor(shape=shape, rate_hz=rate_hz), {"op": "own_baseline", "of": "x", "gives": "y"})
