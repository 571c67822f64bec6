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
    "roots": [0, 3],
    "feature": [1, -1, -1, -1],
    "threshold": [2.5, -1.0, 1.0, 0.25],
    "child": [1, 0, 0, 0],
    "start": [0.0, 0.5],
}


def forest(rng: np.random.Generator, features: int, classes: int) -> dict[str, Any]:
    """Trees that grow breadth first, each node a leaf by chance."""
    roots, feature, threshold, child = [], [], [], []
    for _ in range(int(rng.integers(1, 9))):
        first = len(feature)
        roots.append(first)
        waiting, made = 1, 0
        while made < waiting:
            made += 1
            inner = waiting < 31 and rng.random() < 0.6
            feature.append(int(rng.integers(features)) if inner else -1)
            threshold.append(float(np.float32(rng.normal())))
            child.append(first + waiting if inner else 0)
            waiting += 2 * inner
    start = [float(np.float32(x)) for x in rng.normal(size=classes)]
    return {"op": "trees", "roots": roots, "feature": feature, "threshold": threshold, "child": child, "start": start}


def walked(stage: dict[str, Any], x: Any) -> list[float]:
    """Scores of one sample."""
    sums = list(stage["start"])
    for number, node in enumerate(stage["roots"]):
        while stage["feature"][node] != -1:
            node = stage["child"][node] + (1 if x[stage["feature"][node]] > stage["threshold"][node] else 0)
        sums[number % len(sums)] += stage["threshold"][node]
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
        ({"feature": [3, -1, -1, -1]}, "does not have"),
        ({"child": [0, 0, 0, 0]}, "not behind it"),
        ({"child": [3, 0, 0, 0]}, "not behind it"),
        ({"child": [1.5, 0, 0, 0]}, "not whole"),
        ({"roots": [9]}, "no node"),
        ({"threshold": [1.0]}, "give one a node"),
        ({"start": [0.0]}, "classes"),
    ],
)
def test_what_would_lead_nowhere_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        wearable(sensor(shape=(2,)), STUMPS | {"of": "x", "gives": "y"} | change)
