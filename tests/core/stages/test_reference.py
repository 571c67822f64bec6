"""reference: levels that are learned, by ambient, over days with nights in between."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan
from thermo_core.quality import Quality

MINUTE_US = 60_000_000


def worn(**fields: object) -> Plan:
    """Two nodes and the air beside them, once a minute."""
    return wearable(
        sensor(shape=(3,), rate_hz=1 / 60),
        {"op": "select", "of": "x", "gives": "nodes", "places": [0, 1]},
        {"op": "select", "of": "x", "gives": "air", "places": [2]},
        {"op": "reference", "of": "nodes", "ambient": "air", "gives": "y", "bins": 4} | fields,
    )


@given(st.integers(0, 2**32 - 1))
def test_the_level_is_the_mean_of_what_was_learned_in_that_air(seed: int) -> None:
    rng = np.random.default_rng(seed)
    air = rng.uniform(5, 40, 300)
    values = np.stack([30 + 0.2 * air, 31 + 0.1 * air, air], axis=1) + rng.normal(0, 0.3, (300, 3))
    values = values.astype(np.float32)
    values[rng.random(300) < 0.1, 1] = np.nan
    found = run(worn(low=10.0, high=34.0, least_s=1200.0), x=samples(values, np.arange(300) * MINUTE_US))["y"]
    parts = np.clip((values[:, 2] - 10) / 6, 0, 3).astype(int)
    for place in range(300):
        before = np.flatnonzero(parts[:place] == parts[place])
        assert found.values[place, 2] == pytest.approx(len(before) / 60, rel=1e-6)
        assert (found.flags[place] == Quality.UNCALIBRATED) == (len(before) < 20)
        if len(before) < 20:
            assert np.isnan(found.values[place, :2]).all()
            continue
        wanted = values[place, 0] - values[before, 0].astype(np.float64).mean()
        assert found.values[place, 0] == pytest.approx(wanted, abs=1e-4)
        assert np.isnan(found.values[place, 1]) == np.isnan(values[place, 1])


def test_the_level_follows_over_its_memory() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "memory_s": 100.0, "least_s": 0.0})
    found = run(made, x=samples(np.repeat([30.0, 31.0], 1000)))["y"].values
    after = found[1000:, 0]
    np.testing.assert_allclose(after, (1 - 1 / 100) ** np.arange(1000), atol=1e-4)


def test_nights_neither_teach_nor_forget_and_another_sensor_starts_anew() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "least_s": 30.0})
    times_us = np.concatenate([np.arange(50), 40_000 + np.arange(50)]) * 1_000_000
    values = np.repeat([33.0, 34.0], 50)
    found = run(made, x=samples(values, times_us))["y"]
    assert found.values[50].tolist() == pytest.approx([1.0, 50 / 3600]) and not found.fresh.any()
    anew = run(made, x=samples(values, times_us, fresh=np.arange(100) == 50))["y"]
    assert np.isnan(anew.values[50, 0]) and anew.values[50, 1] == 0 and anew.fresh[50]


def test_what_is_doubtful_or_far_away_is_not_learned() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "least_s": 10.0, "limit": 1.5})
    values = np.full(200, 33.0)
    values[50:100], values[120:150] = 36.0, 20.0
    flags = np.where((np.arange(200) >= 120) & (np.arange(200) < 150), int(Quality.OFF_SKIN), 0)
    found = run(made, x=samples(values, flags=flags))["y"]
    np.testing.assert_allclose(found.values[10:50, 0], 0, atol=1e-5)
    np.testing.assert_allclose(found.values[50:100, 0], 3, atol=1e-5)
    np.testing.assert_allclose(found.values[150:, 0], 0, atol=1e-5)
    assert found.values[150, 1] == found.values[120, 1], "hours on no skin do not count"


def test_without_ambient_there_is_no_result() -> None:
    values = np.tile(np.array([33, 32, 20], np.float32), (40, 1))
    values[30, 2] = np.nan
    found = run(worn(least_s=600.0), x=samples(values, np.arange(40) * MINUTE_US))["y"].values
    assert np.isnan(found[30]).all() and np.isfinite(found[31]).all()


@pytest.mark.parametrize(("rate_hz", "fields"), [(0.0, {}), (1.0, {"bins": 4}), (1.0, {"low": 30.0, "high": 20.0})])
def test_what_cannot_be_learned_is_refused(rate_hz: float, fields: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match=r"resample|ambient|lower one"):
        wearable(sensor(rate_hz=rate_hz), {"op": "reference", "of": "x", "gives": "y"} | fields)
