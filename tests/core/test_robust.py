"""The spread that far values do not move, against SciPy's."""

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from thermo_core.robust import mad_sigma


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_it_is_scipys_on_any_axis(axis: int | None) -> None:
    values = np.random.default_rng(3).normal(20, 2, (101, 7))
    values[5] = 1e6
    assert mad_sigma(values, axis=axis) == pytest.approx(median_abs_deviation(values, axis, scale="normal"), rel=1e-4)


def test_it_deviates_from_what_is_told() -> None:
    assert mad_sigma([1.0, -1.0, 3.0, -3.0, 2.0], 0) == pytest.approx(2 * 1.4826)
