"""`domain` against NumPy in float64 and SciPy's Mahalanobis distance, and limits that hold for people who were not learnt from."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import mahalanobis
from scipy.stats import ortho_group
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.schema import Floats
from thermo_core.stages.domain import Domain, distances
from thermo_models.domain import REFUSED, domain

FAR = int(Quality.OUT_OF_DOMAIN)


def stage(**changes: Any) -> dict[str, Any]:
    fields = {"low": [-5.0], "high": [5.0], "axes": [1.0, 0.0, 0.0], "spread": [2.0], "along": 2.0, "across": 1.5}
    return {"op": "domain", "of": "one", "gives": "made", **fields, **changes}


def said(made: dict[str, Any], values: NDArray[Any]) -> Any:
    return run(wearable(sensor("one", values.shape[1:]), made), one=samples(values))["made"]


@pytest.mark.parametrize(
    ("sample", "held", "far"),
    [
        ((3.9, 1.0, 1.0), None, False),
        ((4.1, 0.0, 0.0), None, True),  # along: more than two spreads of two
        ((0.0, 1.1, 1.1), None, True),  # across: the root of 2.42
        ((0.0, 1.0, -1.0), None, False),
        ((0.0, np.nan, 1.0), None, False),
        ((6.0, 0.0, 0.0), (5.0, 0.0, 0.0), True),
        ((-6.0, np.nan, 9.0), (-5.0, np.nan, 5.0), True),
        ((np.inf, 0.0, 0.0), (5.0, 0.0, 0.0), True),
        ((3e38, 3e38, 0.0), (5.0, 5.0, 0.0), True),
    ],
)
def test_what_is_far_is_flagged_and_held(sample: Any, held: Any, far: bool) -> None:
    found = said(stage(), np.array([sample], np.float32))
    np.testing.assert_array_equal(found.values[0], np.float32(sample if held is None else held))
    assert bool(found.flags[0] & FAR) == far


def test_a_narrow_range_of_one_element_is_its_own() -> None:
    made = stage(low=[-1.0, -5.0, -5.0], high=[1.0, 5.0, 5.0], along=100.0, across=100.0)
    found = said(made, np.array([[1.5, 4.0, -4.0], [0.5, 4.0, -4.0]], np.float32))
    assert found.values.tolist() == [[1.0, 4.0, -4.0], [0.5, 4.0, -4.0]]
    assert (found.flags & FAR).tolist() == [FAR, 0]


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.data())
def test_distances_are_those_of_mahalanobis(seed: int, elements: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    axes = ortho_group.rvs(elements, random_state=rng)
    count = data.draw(st.integers(1, elements))
    spread = rng.uniform(0.5, 5, count)
    one = Domain("one", "made", **stage_constants(axes[:count], spread))
    x = rng.normal(0, 3, (4, elements)).astype(np.float32)
    along, across = distances(one, x)
    inverse = axes[:count].T @ np.diag(1 / spread**2) @ axes[:count]
    expected = [mahalanobis(row, np.zeros(elements), inverse) ** 2 for row in x.astype(np.float64)]
    np.testing.assert_allclose(along, expected, rtol=1e-4, atol=1e-4)
    left = x - (x @ axes[:count].T) @ axes[:count]
    np.testing.assert_allclose(across, (left**2).sum(1), rtol=1e-3, atol=1e-3)


def stage_constants(axes: NDArray[np.float64], spread: NDArray[np.float64]) -> dict[str, Any]:
    floats: dict[str, Any] = {"low": [-1e9], "high": [1e9], "axes": axes.ravel(), "spread": spread}
    return {name: Floats(value) for name, value in floats.items()} | {"along": 3.0, "across": 3.0}


@pytest.mark.parametrize(
    ("changes", "said_of_it"),
    [
        ({"axes": [1.0, 0.0]}, "axes of 2 numbers"),
        ({"spread": [0.0]}, "spread that is not above 0"),
        ({"low": [0.0, 0.0]}, "2 numbers as low"),
        ({"low": [6.0]}, "low is above its high"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said_of_it: str) -> None:
    with pytest.raises(ProfileError, match=said_of_it):
        said(stage(**changes), np.zeros((1, 3), np.float32))


def test_limits_hold_for_people_who_were_not_learnt_from() -> None:
    rng = np.random.default_rng(5)
    mixing = rng.normal(0, 1, (3, 20))

    def people(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        own = rng.normal(0, 1, (count, 3))
        each = np.repeat(own, 10, axis=0) + rng.normal(0, 0.3, (10 * count, 3))
        return (each @ mixing + rng.normal(0, 0.2, (10 * count, 20))).astype(np.float32), np.repeat(
            np.arange(count), 10
        )

    learnt, whose = people(60)
    made = domain(learnt, whose, "one", "made", axes=5)
    fields = {name: getattr(made, name).array.tolist() for name in ("low", "high", "axes", "spread")}
    plain = stage(**fields, along=made.along, across=made.across)
    others, _ = people(400)
    assert np.mean(said(plain, others).flags & FAR > 0) < 6 * REFUSED
    for far in (others + np.float32(6), rng.normal(0, 2, (400, 20)), -3 * others):
        assert np.mean(said(plain, far).flags & FAR > 0) > 0.9
