"""Cohen's kappa, against examples worked by hand and against what repeated sampling gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_hub.review.kappa import CANNOT_TELL, Z, agreement, by_pair, one_against_rest


def test_two_readers_of_fifty_by_hand() -> None:
    """35 of 50 agree, 0.7; chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5; kappa (0.7 - 0.5) / (1 - 0.5) = 0.4."""
    found = agreement(np.array([[20, 5], [10, 15]]))
    assert found.n == 50
    assert found.agreed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)


def test_the_interval_is_that_of_the_example_of_fleiss_cohen_and_everitt() -> None:
    """Their table of shares of 200: kappa 0.429, standard error 0.054."""
    shares = np.array([[0.53, 0.05, 0.02], [0.11, 0.14, 0.05], [0.01, 0.06, 0.03]])
    found = agreement(np.round(shares * 200).astype(int))
    assert found.kappa == pytest.approx(0.429, abs=0.0005)
    assert found.low is not None and found.high is not None
    assert (found.high - found.low) / (2 * Z) == pytest.approx(0.054, abs=0.001)


def plain_kappa(one: NDArray[np.int64], other: NDArray[np.int64], classes: int) -> float:
    """From its definition, one pair of labels after another."""
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    chance = sum((one == name).mean() * (other == name).mean() for name in range(classes))
    return (agreed - chance) / (1 - chance)


def test_the_interval_is_as_wide_as_repeated_sampling_says() -> None:
    rng = np.random.default_rng(0)
    table = np.array([[60, 10, 4], [12, 40, 9], [3, 8, 54]])
    found = agreement(table)
    draws = rng.multinomial(table.sum(), (table / table.sum()).ravel(), 4000).reshape(-1, 3, 3)
    sampled = []
    for drawn in draws:
        pairs = np.repeat(np.arange(9), drawn.ravel())
        sampled.append(plain_kappa(pairs // 3, pairs % 3, 3))
    assert found.kappa == pytest.approx(np.mean(sampled), abs=0.01)
    assert found.low is not None and found.high is not None
    assert (found.high - found.low) / (2 * Z) == pytest.approx(np.std(sampled), rel=0.06)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_any_two_readers_have_the_kappa_of_its_definition(pairs: list[tuple[int, int]]) -> None:
    table = np.zeros((4, 4), int)
    for one, other in pairs:
        table[one, other] += 1
    found, mirrored = agreement(table), agreement(table.T)
    assert found == pytest.approx(mirrored) if found.kappa is None else found.kappa == pytest.approx(mirrored.kappa)
    one, other = np.array(pairs).T
    if found.kappa is None:
        assert len(set(one) | set(other)) == 1
        return
    assert found.kappa == pytest.approx(plain_kappa(one, other, 4))
    assert found.low is not None and found.high is not None
    assert -1 <= found.low <= found.kappa + 1e-12 and found.kappa - 1e-12 <= found.high <= 1
    assert not math.isnan(found.low + found.high)


def test_who_agrees_always_and_who_says_one_class_alone() -> None:
    whole = agreement(np.diag([10, 20, 5]))
    assert (whole.kappa, whole.low, whole.high) == (pytest.approx(1.0), pytest.approx(1.0), pytest.approx(1.0))
    assert agreement(np.array([[9, 0], [0, 0]])).kappa is None
    assert agreement(np.zeros((2, 2), int)).n == 0


def test_each_two_readers_and_each_class_by_hand() -> None:
    said = {
        "a": ["x", "x", "y", "y", CANNOT_TELL],
        "b": ["x", "y", "y", "y", CANNOT_TELL],
        "c": ["x"],
    }
    reads = [(f"w{at}", who, label) for who, labels in said.items() for at, label in enumerate(labels)]
    found = {tuple(one["readers"]): one for one in by_pair(reads, ["x", "y"])}
    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    both = found["a", "b"]
    # 4 of 5 agree; chance 2/5 x 1/5 + 2/5 x 3/5 + 1/5 x 1/5 = 9/25.
    assert both["over_all"].kappa == pytest.approx((0.8 - 0.36) / 0.64)
    # x against the rest: both 1, a alone 1, neither 3; agree 4/5, chance 2/5 x 1/5 + 3/5 x 4/5 = 14/25.
    assert both["classes"]["x"].kappa == pytest.approx((0.8 - 0.56) / 0.44)
    assert both["classes"][CANNOT_TELL].kappa == pytest.approx(1.0)
    assert found["a", "c"]["over_all"].n == 1
    assert one_against_rest(np.array([[3, 1, 2], [4, 5, 0], [1, 1, 6]]), 0).tolist() == [[3, 3], [5, 12]]
