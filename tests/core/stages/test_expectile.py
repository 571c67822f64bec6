"""expectile: the level that is learned, its start, and what teaches nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.quality import Quality

SECOND_US = 1_000_000


@given(st.integers(0, 2**32 - 1))
def test_half_is_the_running_mean(seed: int) -> None:
    values = np.random.default_rng(seed).normal(70, 10, (200, 2)).astype(np.float32)
    made = wearable(sensor(shape=(2,), rate_hz=1.0), {"op": "expectile", "of": "x", "gives": "y", "share": 0.5})
    found = run(made, x=samples(values, np.arange(200) * SECOND_US))["y"]
    # The first sample stands for a period, as all others do.
    means = np.cumsum(values.astype(np.float64), 0) / np.arange(1, 201)[:, np.newaxis]
    np.testing.assert_allclose(found.values, means, rtol=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_deviations_below_have_their_share(share: float) -> None:
    """What an expectile is: the sum of deviations below it is that share of all."""
    values = np.random.default_rng(1).gamma(2, 20, 40_000).astype(np.float32)
    made = wearable(
        sensor(rate_hz=1.0), {"op": "expectile", "of": "x", "gives": "y", "share": share, "memory_s": 4000.0}
    )
    found = run(made, x=samples(values, np.arange(40_000) * SECOND_US))["y"].values[20_000:]
    level = float(found.mean())
    below, above = np.maximum(level - values, 0).sum(), np.maximum(values - level, 0).sum()
    assert below / (below + above) == pytest.approx(share, abs=0.04)


def test_a_start_gives_way_and_doubt_teaches_nothing() -> None:
    made = wearable(
        sensor(rate_hz=0.1, unit="bpm"),
        {"op": "expectile", "of": "x", "gives": "y", "start": 65.0, "start_s": 3600.0, "least_s": 600.0},
    )
    resting = np.full(2000, 52.0)
    found = run(made, x=samples(resting, np.arange(2000) * 10 * SECOND_US))["y"]
    assert found.values[0] == pytest.approx(65, abs=0.2) and found.values[-1] == pytest.approx(52, abs=1)
    assert np.count_nonzero(found.flags & Quality.UNCALIBRATED) == 59
    off = run(made, x=samples(resting, np.arange(2000) * 10 * SECOND_US, np.full(2000, int(Quality.OFF_SKIN))))["y"]
    assert (off.values == 65).all() and (off.flags & Quality.UNCALIBRATED).all()
