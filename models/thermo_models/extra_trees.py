"""Extremely randomised trees (Geurts, Ernst & Wehenkel 2006): the classical method beside a network, on the same inputs.

A tree splits each group of samples by the best of a few features, each at a threshold drawn between the least and the greatest
value that the group has of it; leaves tell means: of numbers, or of classes as numbers, which are their shares. All groups of a depth are
split at once. Nothing of it is shipped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEEPEST = 24
SAME = 1e-9
"""Targets no farther apart are the same, but for rounding."""
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Tree:
    """Nodes: the feature each is split by, -1 for a leaf; its threshold; its first child, the second follows; means of the targets."""

    feature: NDArray[np.int64]
    threshold: _Array
    child: NDArray[np.int64]
    means: _Array

    def tell(self, inputs: _Array) -> _Array:
        node = np.zeros(len(inputs), np.int64)
        rows = np.arange(len(inputs))
        for _ in range(DEEPEST):
            inner = self.feature[node] >= 0
            if not inner.any():
                break
            beyond = inputs[rows, np.maximum(self.feature[node], 0)] > self.threshold[node]
            node = np.where(inner, self.child[node] + beyond, node)
        return self.means[node]


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
    return _of_many(train, np.eye(classes)[targets], weights, test, trees, least, seed)


def tell_numbers(
    train: NDArray[np.float32],
    targets: NDArray[np.floating[Any]],
    test: NDArray[np.float32],
    trees: int = 150,
    least: int = 5,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Numbers (m, quantities) of what (m, features) shows, learnt from targets (n, quantities) of (n, features); see `tell`."""
    centre = targets.astype(np.float64).mean(0)
    said = _of_many(train, targets - centre, np.ones(len(targets)), test, trees, least, seed)
    return np.asarray(said + centre, np.float32)


def _of_many(
    train: NDArray[np.float32],
    targets: _Array,
    weights: _Array,
    test: NDArray[np.float32],
    trees: int,
    least: int,
    seed: int,
) -> NDArray[np.float32]:
    known, asked = (np.nan_to_num(side.reshape(len(side), -1).astype(np.float64), nan=-1e6) for side in (train, test))
    rng = np.random.default_rng([seed, 0xE7])
    found = np.zeros((len(asked), targets.shape[1]))
    for _ in range(trees):
        found += _grow(known, targets, weights, least, rng).tell(asked)
    said: NDArray[np.float32] = (found / trees).astype(np.float32)
    return said


def _grow(inputs: _Array, targets: _Array, weights: _Array, least: int, rng: np.random.Generator) -> _Tree:
    samples = np.arange(len(inputs))
    node = np.zeros(len(inputs), np.int64)
    weighed = targets * weights[:, np.newaxis]
    features, thresholds, children, means = [-1], [0.0], [0], [_means(node, weighed, weights, 1)[0]]
    begun = 0
    for _ in range(DEEPEST):
        group = node[samples] - begun
        count = len(features) - begun
        split, feature, threshold = _splits(
            inputs[samples], group, weighed[samples], weights[samples], count, least, rng
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
        means += list(_means(node[samples] - first, weighed[samples], weights[samples], added))
        begun = first
    return _Tree(np.array(features), np.array(thresholds), np.array(children), np.array(means))


def _splits(
    inputs: _Array,
    group: NDArray[np.int64],
    weighed: _Array,
    weights: _Array,
    count: int,
    least: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.int64], _Array]:
    """Which groups are split, by which feature, at which threshold."""
    tried = max(1, round(np.sqrt(inputs.shape[1])))
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    best, chosen, at = np.full(count, -np.inf), np.zeros(count, np.int64), np.zeros(count)
    whole, all_weight = _sums(group, weighed, count), _weight(group, weights, count)
    mixed = _differ(weighed[order], weights[order], starts)
    for _ in range(tried):
        feature = rng.integers(0, inputs.shape[1], count)
        values = inputs[np.arange(len(inputs)), feature[group]]
        lowest, highest = (ends.reduceat(values[order], starts) for ends in (np.minimum, np.maximum))
        threshold = lowest + (highest - lowest) * rng.random(count)
        beyond = values > threshold[group]
        above, weight = _sums(group[beyond], weighed[beyond], count), _weight(group[beyond], weights[beyond], count)
        number = np.bincount(group[beyond], minlength=count)
        gain = _purity(above, weight) + _purity(whole - above, all_weight - weight)
        usable = (number >= least) & (sizes - number >= least) & mixed & (gain > best)
        best, chosen, at = (
            np.where(usable, gain, best),
            np.where(usable, feature, chosen),
            np.where(usable, threshold, at),
        )
    return np.isfinite(best), chosen, at


def _purity(sums: _Array, weight: _Array) -> _Array:
    """Square of what each row sums to over its weight: the greater, the less the targets of a group differ."""
    return np.where(weight > 0, np.square(sums).sum(1) / np.maximum(weight, 1e-12), 0)


def _differ(weighed: _Array, weights: _Array, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the targets of a group, whose samples stand one after another, are not all the same."""
    targets = weighed / np.maximum(weights, 1e-12)[:, np.newaxis]
    apart = np.maximum.reduceat(targets, starts) - np.minimum.reduceat(targets, starts)
    return np.asarray(apart.max(1) > SAME)


def _weight(group: NDArray[np.int64], weights: _Array, count: int) -> _Array:
    return np.asarray(np.bincount(group, weights, count), np.float64)


def _sums(group: NDArray[np.int64], weighed: _Array, count: int) -> _Array:
    return np.stack([np.bincount(group, column, count) for column in weighed.T], axis=1)


def _means(group: NDArray[np.int64], weighed: _Array, weights: _Array, count: int) -> _Array:
    means: _Array = _sums(group, weighed, count) / np.maximum(_weight(group, weights, count), 1e-12)[:, np.newaxis]
    return means
