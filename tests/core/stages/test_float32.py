"""float32 arithmetic against float64, within what its docstrings promise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core import float32


def ulps(found: NDArray[np.float32], exact: NDArray[np.float64]) -> float:
    """Largest error in units in the last place of the exact result's float32."""
    return float(np.max(np.abs(found.astype(np.float64) - exact) / np.spacing(np.abs(exact).astype(np.float32))))


def positive() -> NDArray[np.float32]:
    """Every exponent with random mantissas, and many numbers near 1."""
    rng = np.random.default_rng(0)
    bits = np.repeat(np.arange(1, 255, dtype=np.uint32), 2000) << 23
    spread = (bits | rng.integers(0, 1 << 23, bits.size, np.uint32)).view(np.float32)
    return np.concatenate([spread, rng.uniform(0.5, 2, 300_000).astype(np.float32)])


@pytest.mark.parametrize(
    ("own", "exact", "values", "most"),
    [
        (float32.log, np.log, positive(), 2.0),
        (float32.log10, np.log10, positive(), 4.0),
        (float32.exp, np.exp, np.random.default_rng(1).uniform(-87, 88, 500_000).astype(np.float32), 3.0),
    ],
)
def test_functions_are_within_some_units_in_the_last_place(
    own: Callable[[Any], NDArray[np.float32]], exact: Any, values: NDArray[np.float32], most: float
) -> None:
    assert ulps(own(values), exact(values.astype(np.float64))) <= most


def test_logarithms_have_no_value_where_there_is_none() -> None:
    outside = np.array([0.0, -0.0, -1.0, np.nan, np.inf, -np.inf, 1e-40], np.float32)
    assert np.isnan(float32.log(outside)).all() and np.isnan(float32.log10(outside)).all()
    np.testing.assert_array_equal(float32.log(np.array([1.0], np.float32)), [0.0])


def test_the_exponential_stays_within_its_ends() -> None:
    found = float32.exp(np.array([-np.inf, -1000, -87, 88, 1000, np.inf, 0, np.nan], np.float32))
    assert found[0] == found[1] == found[2] > 0 and found[3] == found[4] == found[5] < np.inf
    assert found[6] == 1 and np.isnan(found[7])


def test_sums_go_one_after_another() -> None:
    values = np.random.default_rng(2).normal(0, 1e3, (7, 501)).astype(np.float32)
    for axis in (0, 1):
        for place, found in enumerate(float32.total(values, axis)):
            line, expected = values[:, place] if axis == 0 else values[place], np.float32(0)
            for value in line:
                expected = np.float32(expected + value)
            assert found == expected
    np.testing.assert_array_equal(float32.total(np.zeros((3, 0), np.float32)), np.zeros(3))
    assert not np.signbit(float32.total(np.array([-0.0, -0.0], np.float32)))


def test_products_are_a_matrix_product() -> None:
    rng = np.random.default_rng(3)
    x, rows = (rng.normal(size=shape).astype(np.float32) for shape in ((5, 40), (6, 40)))
    expected = x.astype(np.float64) @ rows.astype(np.float64).T
    np.testing.assert_allclose(float32.products(x, rows), expected, rtol=0, atol=40 * 2**-23)
