"""trees: against one walk down each tree in float64, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, sensor, wearable

from thermo_core.errors import ProfileError

STUMPS: dict[str, Any] = {
    "op": "trees",
    "leaves": 2,
    "split": [0, 0],
    "feature": [1, 0],
    "threshold": [2.5, 1.0],
    "value": [-1.0, 1.0, 0.25, 0.5],
    "start": [0.0, 0.5],
}


def forest(rng: np.random.Generator, features: int, classes: int) -> dict[str, Any]:
    """Trees whose leaves are parted by chance."""
    trees, leaves = int(rng.integers(1, 9)), int(rng.integers(2, 9))

    def drawn(count: int) -> list[float]:
        return [float(np.float32(x)) for x in rng.normal(size=count)]

    return {
        "op": "trees",
        "leaves": leaves,
        "split": [int(rng.integers(n + 1)) for _ in range(trees) for n in range(leaves - 1)],
        "feature": rng.integers(0, features, trees * (leaves - 1)).tolist(),
        "threshold": drawn(trees * (leaves - 1)),
        "value": drawn(trees * leaves),
        "start": drawn(classes),
    }


def grown(stage: dict[str, Any], tree: int) -> Any:
    """A tree as nodes within nodes: (feature, threshold, what is not above, what is above), or the value of a leaf."""
    splits = stage["leaves"] - 1

    def node(leaf: int, first: int) -> Any:
        for n in range(first, splits):
            at = tree * splits + n
            if stage["split"][at] == leaf:
                return stage["feature"][at], stage["threshold"][at], node(leaf, n + 1), node(n + 1, n + 1)
        return stage["value"][tree * stage["leaves"] + leaf]

    return node(0, 0)


def walked(stage: dict[str, Any], x: Any) -> list[float]:
    """Scores of one sample."""
    sums = list(stage["start"])
    for tree in range(len(stage["value"]) // stage["leaves"]):
        node = grown(stage, tree)
        while isinstance(node, tuple):
            feature, threshold, below, above = node
            node = above if x[feature] > threshold else below
        sums[tree % len(sums)] += node
    odds = [math.exp(value - max(sums)) for value in sums]
    return [value / sum(odds) for value in odds]


@given(st.integers(0, 2**32 - 1))
def test_each_tree_is_walked_down(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, classes = int(rng.integers(1, 6)), int(rng.integers(2, 5))
    stage = forest(rng, features, classes)
    values = rng.normal(size=(20, features)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    found = one(stage, values)
    np.testing.assert_allclose(found, [walked(stage, row) for row in values], rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feature": [3, 0]}, "does not have"),
        ({"split": [1, 0]}, "not there yet"),
        ({"split": [0.5, 0]}, "not whole"),
        ({"threshold": [1.0]}, "splits a tree"),
        ({"value": [1.0, 2.0, 3.0]}, "splits a tree"),
        ({"start": [0.0]}, "classes"),
    ],
)
def test_what_would_lead_nowhere_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        wearable(sensor(shape=(2,)), STUMPS | {"of": "x", "gives": "y"} | change)
