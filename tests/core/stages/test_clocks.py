"""Stages that join clocks or make one of their own, against brute force."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.graph.live import LiveGraph
from thermo_core.quality import Quality
from thermo_core.signals import DEPTHS, Sample, Series
from thermo_core.stages.resample import OP, Resample


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.7, 5.0]))
def test_hold_gives_the_newest_sample_that_is_not_too_old(seed: int, oldest_s: float) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(
        [sensor("slow", (2,)), sensor("fast", rate_hz=5.0)],
        {"op": "hold", "of": "slow", "on": "fast", "gives": "y", "oldest_s": oldest_s},
    )
    # Blocks of both sensors in the order of their times; at equal times in either order.
    slow_us, fast_us = (np.sort(rng.choice(200, n, replace=False)) * 50_000 for n in (8, 25))
    order = np.argsort(np.concatenate([slow_us, fast_us]) + rng.uniform(0, 1, 33))
    number = np.empty(33, np.int64)
    number[order] = np.arange(33)
    values, flags = rng.normal(size=(8, 2)).astype(np.float32), rng.integers(0, 4, 8).astype(np.uint16)
    slow = Series(slow_us, values, flags, np.zeros(8, np.bool_), DEPTHS * number[:8])
    fast = Series(
        fast_us, np.zeros(25, np.float32), np.full(25, 32, np.uint16), np.zeros(25, np.bool_), DEPTHS * number[8:]
    )
    found = run(made, slow=slow, fast=fast)["y"]
    assert found.times_us.tolist() == fast_us.tolist()
    for place in range(25):
        before = [n for n in range(8) if number[n] < number[8 + place]]
        if not before:
            assert np.isnan(found.values[place]).all() and found.flags[place] == 32 | Quality.MISSING
            continue
        newest = max(before, key=lambda n: number[n])
        if oldest_s and fast_us[place] - slow_us[newest] > oldest_s * 1e6:
            assert np.isnan(found.values[place]).all() and found.flags[place] == 32 | Quality.STALE
        else:
            np.testing.assert_array_equal(found.values[place], values[newest])
            assert found.flags[place] == 32 | flags[newest]


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 3.0))
def test_means_are_those_of_the_steps_of_a_grid(seed: int, rate_hz: float) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(sensor(rate_hz=4.0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": rate_hz})
    times_us = np.cumsum(rng.integers(100_000, 400_000, 120))
    values = rng.normal(33, 2, 120).astype(np.float32)
    found = run(made, x=samples(values, times_us))["y"]
    period_us = round(1e6 / rate_hz)
    steps = times_us // period_us
    borders = np.arange(steps[0], steps[-1] + 1) * period_us
    means = scipy.stats.binned_statistic(times_us, values.astype(np.float64), "mean", borders).statistic
    with_samples = ~np.isnan(means)
    np.testing.assert_allclose(found.values, means[with_samples], rtol=1e-6)
    assert found.times_us.tolist() == borders[1:][with_samples].tolist()
    assert made.signals["y"].rate_hz == pytest.approx(rate_hz, rel=1e-5)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 3.0, 20.0]))
def test_the_last_sample_stands_for_steps_without_one(seed: int, rate_hz: float) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(sensor(rate_hz=4.0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": rate_hz, "by": "last"})
    times_us = np.cumsum(rng.integers(100_000, 400_000, 60))
    values = rng.normal(33, 2, 60).astype(np.float32)
    found = run(made, x=samples(values, times_us))["y"]
    period_us = round(1e6 / rate_hz)
    first, last = times_us[0] // period_us, times_us[-1] // period_us
    ends = np.arange(first + 1, last + 1) * period_us
    newest = np.searchsorted(times_us, ends) - 1
    assert found.times_us.tolist() == ends.tolist()
    np.testing.assert_array_equal(found.values, values[newest])


def test_a_gap_and_a_fresh_sample_begin_the_grid_anew() -> None:
    made = wearable(sensor(rate_hz=2.0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": 1.0})
    times_us = np.array([0.1, 0.6, 1.1, 1.6, 9.2, 9.7, 10.2, 11.1]) * 1e6
    fresh = [False] * 7 + [True]
    found = run(made, x=samples([1, 3, 5, 7, 10, 20, 50, 60], times_us, fresh=fresh))["y"]
    # What was begun before the gap, or before another sensor, is never given.
    assert found.values.tolist() == [2.0, 15.0]
    assert found.times_us.tolist() == [1_000_000, 10_000_000]
    assert found.fresh.tolist() == [False, True]


def test_flags_of_a_step_are_those_of_its_samples_and_missing_numbers_do_not_count() -> None:
    made = wearable(sensor(shape=(2,), rate_hz=2.0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": 1.0})
    values = [[1, np.nan], [3, np.nan], [5, 2], [9, np.nan], [0, 0]]
    found = run(made, x=samples(values, np.arange(5) * 500_000, flags=[1, 2, 0, 0, 4]))["y"]
    np.testing.assert_array_equal(found.values, np.array([[2, np.nan], [7, 2]], np.float32))
    assert found.flags.tolist() == [3, 0]


def test_what_is_given_may_be_written_over_afterwards() -> None:
    made = wearable(
        [sensor("slow", rate_hz=1.0), sensor("fast", rate_hz=2.0)],
        {"op": "hold", "of": "slow", "on": "fast", "gives": "held"},
        {"op": "resample", "of": "slow", "gives": "last", "rate_hz": 0.5, "by": "last"},
    )
    graph, buffer = LiveGraph(made, {}), np.array(1.0, np.float32)
    list(graph.push([{"slow": Sample(0, buffer)}]))
    buffer[()] = 2.0
    (produced,) = graph.push([{"fast": Sample(1, buffer)}])
    assert produced["held"].values == 1.0
    later = [said for time_s in (1, 2) for said in graph.push([{"slow": Sample(time_s * 1_000_000, buffer)}])]
    assert [said["last"].values for said in later if "last" in said] == [2.0]


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ProfileError, match="faster"):
        wearable(sensor(), {"op": "resample", "of": "x", "gives": "y", "rate_hz": 2.0})
    with pytest.raises(ProfileError, match="now and then"):
        wearable(sensor(rate_hz=0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": 2.0})


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 3.0), st.sampled_from(["mean", "last"]), st.sampled_from([(), (3,)]))
def test_a_grid_over_a_whole_recording_gives_the_bytes_of_one_moment_at_a_time(
    seed: int, rate_hz: float, by: str, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(
        sensor(shape=shape, rate_hz=4.0), {"op": "resample", "of": "x", "gives": "y", "rate_hz": rate_hz, "by": by}
    )
    (node,) = made.nodes
    count = int(rng.integers(0, 80))
    steps_us = np.where(rng.random(count) < 0.1, 30_000_000, rng.integers(1, 600_000, count))
    values = rng.normal(33, 2, (count, *shape)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    given = Series(
        np.cumsum(steps_us),
        values,
        (8 * rng.integers(0, 4, count)).astype(np.uint16),
        rng.random(count) < 0.1,
        DEPTHS * np.arange(count),
    )
    assert isinstance(node.what, Resample)
    grid = OP.start(node.what, node.inputs)
    one_by_one: list[Sample] = []
    for place in range(count):
        one_by_one += grid.push(given.sample(place))
    wanted, found = Series.of(one_by_one, shape), OP.start(node.what, node.inputs).run(given)
    for name in ("times_us", "values", "flags", "fresh", "order"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes(), name
