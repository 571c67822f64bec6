"""Boosted decision trees for classes (Friedman 2001), on histograms and with second derivatives as Chen & Guestrin (2016) have them.

Small trees, few of them: what a microcontroller has room for. The trees become a `trees` stage.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.stages.trees import LEAF, Trees

_Array = NDArray[np.float64]
_Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Boosting:
    """How trees are grown.

    Attributes:
        rounds: trees of each class.
        leaves: of a tree, at most.
        rate: share of a leaf's best value that is taken.
        least: samples of a leaf.
        ridge: added to the second derivative of a leaf, which holds its value back.
        bins: of a feature, between whose edges it may be split.
    """

    rounds: int = 60
    leaves: int = 4
    rate: float = 0.15
    least: int = 40
    ridge: float = 5.0
    bins: int = 64

    def learn(
        self, inputs: NDArray[np.floating[Any]], targets: NDArray[np.int64], classes: int, of: str, gives: str
    ) -> Trees:
        """The stage that tells (n,) classes from (n, features), each class weighing the same."""
        x = np.asarray(inputs, np.float32).reshape(len(inputs), -1)
        edges = [
            np.unique(np.quantile(column, np.linspace(0, 1, self.bins + 1)[1:-1]).astype(np.float32)) for column in x.T
        ]
        binned = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges, x.T, strict=True)], axis=1)
        codes = binned + self.bins * np.arange(x.shape[1])
        counts = np.bincount(targets, minlength=classes)
        weight = (len(targets) / (classes * np.maximum(counts, 1)))[targets]
        wanted = np.eye(classes)[targets]
        odds = np.zeros((len(x), classes))
        roots: list[int] = []
        nodes: list[tuple[int, float, int]] = []
        for _ in range(self.rounds):
            shares = np.exp(odds - odds.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
            for k in range(classes):
                slope, bend = weight * (shares[:, k] - wanted[:, k]), weight * shares[:, k] * (1 - shares[:, k])
                roots.append(len(nodes))
                odds[:, k] += self._grow(codes, binned, edges, slope, bend, nodes)
        feature, threshold, child = (np.array(column, np.float64) for column in zip(*nodes, strict=True))
        return Trees(
            of=of,
            gives=gives,
            roots=Floats(np.array(roots, np.float64)),
            feature=Floats(feature),
            threshold=Floats(threshold),
            child=Floats(child),
            start=Floats(np.zeros(classes)),
        )

    def _grow(
        self,
        codes: _Indices,
        binned: _Indices,
        edges: list[NDArray[np.float32]],
        slope: _Array,
        bend: _Array,
        nodes: list[tuple[int, float, int]],
    ) -> _Array:
        """Grow a tree, whose nodes follow those before; what it adds to each sample."""
        everybody = np.arange(len(codes))
        nodes.append((LEAF, 0.0, 0))
        open_: list[tuple[_Split, int, _Indices]] = [
            (self._best(codes, slope, bend, everybody), len(nodes) - 1, everybody)
        ]
        leaves: list[tuple[int, _Indices]] = []
        while open_ and len(open_) + len(leaves) < self.leaves:
            open_.sort(key=lambda one: one[0].gain)
            split, place, samples = open_.pop()
            if split.gain <= 0:
                leaves.append((place, samples))
                continue
            beyond = binned[samples, split.feature] > split.bin
            nodes[place] = (split.feature, float(edges[split.feature][split.bin]), len(nodes))
            for side in (samples[~beyond], samples[beyond]):
                nodes.append((LEAF, 0.0, 0))
                open_.append((self._best(codes, slope, bend, side), len(nodes) - 1, side))
        added = np.zeros(len(codes))
        for place, samples in [*leaves, *((place, samples) for _, place, samples in open_)]:
            value = np.float32(-self.rate * slope[samples].sum() / (bend[samples].sum() + self.ridge))
            nodes[place] = (LEAF, float(value), 0)
            added[samples] = value
        return added

    def _best(self, codes: _Indices, slope: _Array, bend: _Array, samples: _Indices) -> "_Split":
        """The split of some samples that lowers the loss most; gain 0 where none does."""
        features = codes.shape[1]
        flat = codes[samples].ravel()

        def summed(of: _Array) -> _Array:
            found = np.bincount(flat, np.repeat(of[samples], features), features * self.bins).astype(np.float64)
            total: _Array = np.cumsum(found.reshape(features, self.bins), axis=1)
            return total

        first, second = summed(slope), summed(bend)
        count: _Indices = np.cumsum(np.bincount(flat, minlength=features * self.bins).reshape(features, self.bins), 1)
        whole, whole_bend = first[:, -1:], second[:, -1:]
        gain: _Array = (
            np.square(first) / (second + self.ridge)
            + np.square(whole - first) / (whole_bend - second + self.ridge)
            - np.square(whole) / (whole_bend + self.ridge)
        )
        gain[(count < self.least) | (len(samples) - count < self.least)] = 0
        place = int(np.argmax(gain))
        return _Split(float(gain.flat[place]), place // self.bins, place % self.bins)


@dataclass(frozen=True, slots=True)
class _Split:
    gain: float
    feature: int
    bin: int
