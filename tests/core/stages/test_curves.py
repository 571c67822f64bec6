"""Windows, bins and Foster networks against plain loops in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.widening import edges


@given(st.integers(2, 12), st.integers(1, 15), st.integers(1, 60), st.integers(1, 3))
def test_window_is_the_last_samples(length: int, every: int, count: int, columns: int) -> None:
    values = np.arange(count * columns, dtype=np.float32).reshape(count, columns)
    made = wearable(
        sensor(shape=(columns,)), {"op": "window", "of": "x", "gives": "y", "length": length, "every": every}
    )
    found = run(made, x=samples(values))["y"]
    ends = range(length, count + 1, every)
    np.testing.assert_array_equal(
        found.values, np.reshape([values[end - length : end] for end in ends], (-1, length, columns))
    )
    assert found.times_us.tolist() == [(end - 1) * 1_000_000 for end in ends]
    signal = made.signals["y"]
    assert signal.rate_hz == 1 / every and signal.spacing_s == 1.0


@pytest.mark.parametrize(
    ("stages", "problem"),
    [
        ([{"op": "window", "of": "event", "length": 2}], "now and then"),
        ([{"op": "window", "of": "x", "length": 4096}], "would hold 1048576 numbers"),
        (
            [{"op": "window", "of": "x", "length": 2, "gives": "w"}, {"op": "window", "of": "w", "length": 2}],
            "has 3 axes already",
        ),
    ],
)
def test_what_no_window_can_be_of_is_refused(stages: list[dict[str, object]], problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        wearable([sensor(shape=(16, 16)), sensor("event", rate_hz=0)], *({"gives": "y"} | stage for stage in stages))


def test_borders_of_bins_widen_and_end_with_the_curve() -> None:
    for samples_in in (*range(8, 200), 600, 1000, 4096):
        for bins in {4, 5, 7, 16, 64, samples_in // 2}:
            if not 4 <= bins <= samples_in // 2:
                continue
            found = edges(samples_in, bins)
            widths = np.diff(found)
            assert found[0] == 0 and found[-1] == samples_in and len(widths) == bins
            assert (widths >= 1).all(), (samples_in, bins)


@given(st.integers(4, 40), st.integers(0, 2**32 - 1))
def test_bins_are_weighed_sums(bins: int, seed: int) -> None:
    curve = np.random.default_rng(seed).normal(33, 1, 2 * bins + 30).astype(np.float32)
    window = {"op": "window", "of": "x", "gives": "w", "length": len(curve)}
    settled = 10
    made = wearable(
        sensor(),
        window,
        {"op": "bins", "of": "w", "gives": "plain", "bins": bins},
        {"op": "bins", "of": "w", "gives": "settled", "bins": bins, "settled": settled},
    )
    found = run(made, x=samples(curve))
    borders = edges(len(curve), bins)
    roots = np.sqrt(np.diff(borders))
    wide = curve.astype(np.float64)
    np.testing.assert_allclose(found["plain"].values[0], np.add.reduceat(wide, borders[:-1]) / roots, rtol=1e-5)
    end = wide[-settled:].mean()
    normal = (wide - end) / (wide[0] - end)
    expected = np.add.reduceat(normal, borders[:-1]) / roots
    np.testing.assert_allclose(found["settled"].values[0], expected, rtol=0, atol=1e-5 * (1 + np.abs(normal).sum()))


def test_white_noise_stays_white_in_bins() -> None:
    noise = np.random.default_rng(4).normal(0, 1, 4000).astype(np.float32)
    made = wearable(
        sensor(),
        {"op": "window", "of": "x", "gives": "w", "length": 100, "every": 100},
        {"op": "bins", "of": "w", "gives": "y", "bins": 16},
    )
    assert run(made, x=samples(noise))["y"].values.std() == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize("settled", [0, 7])
def test_columns_of_a_window_are_each_as_by_themselves(settled: int) -> None:
    values = np.random.default_rng(3).normal(33, 1, (90, 3)).astype(np.float32)
    values[40, 1] = np.nan
    window = {"op": "window", "gives": "w", "length": 45, "every": 45}
    made = {"op": "bins", "of": "w", "gives": "y", "bins": 8, "settled": settled}
    found = run(wearable(sensor(shape=(3,)), window | {"of": "x"}, made), x=samples(values))["y"].values
    assert found.shape == (2, 3, 8)
    for column in range(3):
        alone = run(wearable(sensor(), window | {"of": "x"}, made), x=samples(values[:, column]))["y"].values
        assert found[:, column].tobytes() == alone.tobytes()


def test_a_curve_that_ends_as_it_began_has_no_value() -> None:
    made = wearable(
        sensor(),
        {"op": "window", "of": "x", "gives": "w", "length": 20},
        {"op": "bins", "of": "w", "gives": "y", "bins": 4, "settled": 2},
    )
    assert np.isnan(run(made, x=samples(np.full(20, 33.0)))["y"].values).all()


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_foster_takes_the_best_number_of_parts(parts: int, copies: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = parts * (parts + 1) // 2
    # Whole eighths, so that sums are exact and logarithms equal or clearly apart.
    said = (np.round(8 * rng.normal(0, 1, (6, places * (1 + copies) + parts))) / 8).astype(np.float32)
    stage = {"op": "foster", "parts": parts, "copies": copies, "log_centre": 3.0, "log_spread": 1.5}
    for row, found in zip(said.astype(np.float64), one(stage, said), strict=True):
        scores = row[2 * places : 2 * places + parts].tolist()
        number = scores.index(max(scores)) + 1
        here = slice(number * (number - 1) // 2, number * (number + 1) // 2)
        logs = np.mean([row[:places], *row[2 * places + parts :].reshape(copies - 1, places)], axis=0)[here]
        shares = row[places : 2 * places][here]
        pairs = sorted(zip(np.asarray(logs, np.float32).tolist(), range(number), strict=True))
        assert found[0] == number
        np.testing.assert_allclose(found[1 : 1 + number], [math.exp(3 + 1.5 * log) for log, _ in pairs], rtol=1e-5)
        if len({log for log, _ in pairs}) == number:
            given_shares = found[1 + parts : 1 + parts + number]
            np.testing.assert_allclose(
                given_shares, [(1 + shares[place]) / 2 for _, place in pairs], rtol=1e-6, atol=1e-7
            )
        beyond = np.concatenate([found[1 + number : 1 + parts], found[1 + parts + number :]])
        assert np.isnan(beyond).all()


def test_foster_without_a_number_says_nothing() -> None:
    said = np.zeros((1, 15), np.float32)
    said[0, 14] = np.nan
    assert np.isnan(one({"op": "foster"}, said)).all()
