"""statistics against NumPy and SciPy in float64."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError

ROWS, SPACING_S = 60, 0.5


def curves(columns: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(33, 2, (ROWS + 3, columns)).astype(np.float32)


def slope(x: NDArray[np.float64]) -> float:
    return float(scipy.stats.linregress(np.arange(len(x)) * SPACING_S, x).slope)


EXACT: dict[str, Any] = {
    "mean": np.mean,
    "sd": np.std,
    "slope": slope,
    "min": np.min,
    "max": np.max,
    "range": np.ptp,
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    "median": np.median,
    "p5": lambda x: np.percentile(x, 5, method="lower"),
    "p95": lambda x: np.percentile(x, 95, method="lower"),
    "change7": lambda x: np.abs(x[7:] - x[:-7]).mean(),
    "rise1": lambda x: np.diff(x).max(),
    "fall3": lambda x: (x[3:] - x[:-3]).min(),
    "mean[-10:] - mean[:10]": lambda x: x[-10:].mean() - x[:10].mean(),
    "median[5:16]": lambda x: np.median(x[5:16]),
    "max - p50": lambda x: x.max() - np.percentile(x, 50, method="lower"),
}


@pytest.mark.parametrize("columns", [1, 4])
def test_statistics_of_windows(columns: int) -> None:
    values = curves(columns, columns)
    made = wearable(
        sensor(shape=(columns,), rate_hz=1 / SPACING_S),
        {"op": "window", "of": "x", "gives": "w", "length": ROWS},
        {"op": "statistics", "of": "w", "gives": "y", "give": list(EXACT)},
    )
    times_us = np.arange(len(values)) * round(SPACING_S * 1e6)
    found = run(made, x=samples(values, times_us))["y"]
    assert found.values.shape == (4, columns, len(EXACT))
    for start in range(4):
        window = values[start : start + ROWS].astype(np.float64)
        expected = [[exact(window[:, column]) for exact in EXACT.values()] for column in range(columns)]
        np.testing.assert_allclose(found.values[start], expected, rtol=2e-5, atol=2e-5)


def test_statistics_over_all_numbers_of_a_sample() -> None:
    values = curves(12, 9)
    found = one({"op": "statistics", "give": ["sd", "median", "p95", "range"], "over": "all"}, values.reshape(-1, 3, 4))
    wide = values.astype(np.float64)
    expected = [wide.std(1), np.median(wide, 1), np.percentile(wide, 95, axis=1, method="lower"), np.ptp(wide, axis=1)]
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-5)


def test_a_missing_row_leaves_no_statistic_that_rests_on_it() -> None:
    words = [
        "mean",
        "sd",
        "slope",
        "min",
        "max",
        "range",
        "median",
        "p10",
        "change1",
        "rise1",
        "fall1",
        "last",
        "mean[1:]",
    ]
    found = one({"op": "statistics", "give": words, "over": "all"}, [[np.nan, 1.0, 2.0, 4.0]])
    assert np.isnan(found[0]).tolist() == [True] * 11 + [False, False]


def test_which_zero_is_found_does_not_matter() -> None:
    words = ["min", "max", "median", "p50", "range", "rise1", "fall1"]
    found = one({"op": "statistics", "give": words, "over": "all"}, [[-0.0, 0.0, -0.0], [0.0, -0.0, -0.0]])
    assert not np.signbit(found).any()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("average", "is no statistic"),
        ("mean5", "takes no number"),
        ("p", "needs a number"),
        ("p101", "no percentile"),
        ("slope[:1]", "needs 2 rows or more and has 1 of 3"),
        ("change3", "needs 4 rows or more and has 3 of 3"),
        ("change0", "is over no rows; say change1"),
        ("mean[3:]", "needs 1 rows or more and has 0 of 3"),
        ("max - min - mean", "takes away more than once"),
    ],
)
def test_what_is_no_statistic_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem.replace("[", r"\[")):
        wearable(sensor(shape=(3,)), {"op": "statistics", "of": "x", "gives": "y", "give": [text], "over": "all"})
