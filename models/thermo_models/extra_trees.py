"""Extremely randomised trees (Geurts, Ernst & Wehenkel 2006): the classical method beside a network, on the same inputs.

A tree splits each group of samples by the best of a few features, each at a threshold drawn between the least and the greatest
value that the group has of it; leaves tell the shares of classes. All groups of a depth are split at once. Nothing of it is shipped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEEPEST = 24
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Tree:
    """Nodes: the feature each is split by, -1 for a leaf; its threshold; its first child, the second follows; shares of classes."""

    feature: NDArray[np.int64]
    threshold: _Array
    child: NDArray[np.int64]
    shares: _Array

    def tell(self, inputs: _Array) -> _Array:
        node = np.zeros(len(inputs), np.int64)
        rows = np.arange(len(inputs))
        for _ in range(DEEPEST):
            inner = self.feature[node] >= 0
            if not inner.any():
                break
            beyond = inputs[rows, np.maximum(self.feature[node], 0)] > self.threshold[node]
            node = np.where(inner, self.child[node] + beyond, node)
        return self.shares[node]


def tell(
    train: NDArray[np.float32],
    targets: NDArray[np.int64],
    test: NDArray[np.float32],
    classes: int,
    trees: int = 150,
    least: int = 5,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Scores (m, classes) of what (m, features) shows, learnt from (n, features); each class weighs the same.

    Args:
        train: features; without a value stands far below all others.
        targets: (n,) classes.
        test: features.
        classes: how many.
        trees: how many.
        least: samples of a leaf.
        seed: of all that is drawn.
    """
    counts = np.bincount(targets, minlength=classes)
    weights = np.where(counts > 0, len(targets) / (classes * np.maximum(counts, 1)), 0)[targets]
    known, asked = (np.nan_to_num(side.reshape(len(side), -1).astype(np.float64), nan=-1e6) for side in (train, test))
    rng = np.random.default_rng([seed, 0xE7])
    found = np.zeros((len(asked), classes))
    for _ in range(trees):
        found += _grow(known, targets, weights, classes, least, rng).tell(asked)
    return (found / trees).astype(np.float32)


def _grow(
    inputs: _Array, targets: NDArray[np.int64], weights: _Array, classes: int, least: int, rng: np.random.Generator
) -> _Tree:
    samples = np.arange(len(inputs))
    node = np.zeros(len(inputs), np.int64)
    features, thresholds, children, shares = (
        [-1],
        [0.0],
        [0],
        [_shares(np.zeros(len(inputs), np.int64), targets, weights, 1, classes)[0]],
    )
    begun = 0
    for _ in range(DEEPEST):
        group = node[samples] - begun
        count = len(features) - begun
        split, feature, threshold = _splits(
            inputs[samples], group, targets[samples], weights[samples], count, classes, least, rng
        )
        going = split[group]
        if not going.any():
            break
        first = len(features)
        place = first + 2 * (np.cumsum(split) - 1)
        for number in np.flatnonzero(split).tolist():
            features[begun + number], thresholds[begun + number] = int(feature[number]), float(threshold[number])
            children[begun + number] = int(place[number])
        samples, group = samples[going], group[going]
        node[samples] = place[group] + (inputs[samples, feature[group]] > threshold[group])
        added = 2 * int(split.sum())
        features += [-1] * added
        thresholds += [0.0] * added
        children += [0] * added
        shares += list(_shares(node[samples] - first, targets[samples], weights[samples], added, classes))
        begun = first
    return _Tree(np.array(features), np.array(thresholds), np.array(children), np.array(shares))


def _splits(
    inputs: _Array,
    group: NDArray[np.int64],
    targets: NDArray[np.int64],
    weights: _Array,
    count: int,
    classes: int,
    least: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.int64], _Array]:
    """Which groups are split, by which feature, at which threshold."""
    tried = max(1, round(np.sqrt(inputs.shape[1])))
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    best, chosen, at = np.full(count, -np.inf), np.zeros(count, np.int64), np.zeros(count)
    whole = np.bincount(group * classes + targets, weights, count * classes).reshape(count, classes)
    mixed = (whole > 0).sum(1) > 1
    for _ in range(tried):
        feature = rng.integers(0, inputs.shape[1], count)
        values = inputs[np.arange(len(inputs)), feature[group]]
        lowest, highest = (ends.reduceat(values[order], starts) for ends in (np.minimum, np.maximum))
        threshold = lowest + (highest - lowest) * rng.random(count)
        beyond = values > threshold[group]
        above = np.bincount(group[beyond] * classes + targets[beyond], weights[beyond], count * classes)
        above = above.reshape(count, classes)
        number = np.bincount(group[beyond], minlength=count)
        gain = _purity(above) + _purity(whole - above)
        usable = (number >= least) & (sizes - number >= least) & mixed & (gain > best)
        best, chosen, at = (
            np.where(usable, gain, best),
            np.where(usable, feature, chosen),
            np.where(usable, threshold, at),
        )
    return np.isfinite(best), chosen, at


def _purity(weights: NDArray[Any]) -> _Array:
    """Sum of squares over the sum, of each row: the greater, the less mixed."""
    total = weights.sum(1)
    return np.where(total > 0, np.square(weights).sum(1) / np.maximum(total, 1e-12), 0)


def _shares(group: NDArray[np.int64], targets: NDArray[np.int64], weights: _Array, count: int, classes: int) -> _Array:
    found = np.bincount(group * classes + targets, weights, count * classes).reshape(count, classes)
    shares: _Array = found / np.maximum(found.sum(1, keepdims=True), 1e-12)
    return shares
