"""step_removal against the steps that were put into curves, and against scipy's least squares."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.signals import Values
from thermo_core.stages import step_removal

SECONDS = np.arange(600.0)


def joined(columns: NDArray[np.floating[Any]], **fields: Any) -> Values:
    """(rows, columns) without steps."""
    rows, count = columns.shape
    made = wearable(
        sensor(shape=(count,)),
        {"op": "window", "of": "x", "gives": "w", "length": rows, "every": rows},
        {"op": "step_removal", "of": "w", "gives": "y"} | fields,
    )
    return run(made, x=samples(columns, first=0))["y"].values[0]


def test_steps_go_and_curves_stay() -> None:
    rng = np.random.default_rng(5)
    clean = np.stack(
        [33 - a * np.exp(-SECONDS / tau) for a, tau in ((1, 4), (9, 12), (9, 60), (3, 300), (0, 1))], axis=1
    )
    noisy = clean + rng.normal(0, 0.02, clean.shape)
    np.testing.assert_array_equal(joined(noisy), noisy.astype(np.float32))
    stepped = noisy + 0.4 * (SECONDS >= 90)[:, None] - 0.3 * ((SECONDS >= 250) & (SECONDS < 310))[:, None]
    left = joined(stepped) - clean
    for begin, end in ((0, 85), (95, 245), (255, 305), (315, 600)):
        assert np.abs(left[begin:end].mean(0)).max() < 0.1


def test_the_height_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(6)
    x = (np.arange(16) - 7.5) / 8
    basis = np.column_stack([x**0, x, x**2, x**3, x > 0])
    around = rng.normal(30, 1, 16)
    height = np.linalg.lstsq(basis, around, rcond=None)[0][-1]
    assert float(step_removal.taps() @ around.astype(np.float32)) == pytest.approx(height, abs=1e-4)


def test_rows_without_a_value_stay_and_hide_no_other_step() -> None:
    curve = 33 + np.random.default_rng(7).normal(0, 0.02, (600, 1)) + 0.5 * (SECONDS >= 400)[:, None]
    curve[100:110] = np.nan
    left = joined(curve)
    assert np.isnan(left[100:110]).all() and np.isfinite(np.delete(left, np.arange(100, 110), 0)).all()
    assert left[420:].mean() == pytest.approx(33, abs=0.05)
    assert np.isnan(joined(np.full((40, 1), np.nan))).all()


def test_what_lies_below_the_least_height_stays() -> None:
    still = np.where(SECONDS >= 300, 33.04, 33.0)[:, None]
    np.testing.assert_array_equal(joined(still), still.astype(np.float32))
    assert np.ptp(joined(still, least=0.01)) < 1e-3


def test_a_window_that_is_too_short_is_refused() -> None:
    with pytest.raises(ProfileError, match="takes a window of 20 rows or more"):
        joined(np.zeros((19, 1)))
