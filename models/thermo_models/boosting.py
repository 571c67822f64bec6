"""Boosted decision trees for classes (Friedman 2001), on histograms and with second derivatives as Chen & Guestrin (2016) have them.

Small trees, few of them: what a microcontroller has room for. The trees become a `trees` stage.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.stages.trees import Trees

_Array = NDArray[np.float64]
_Indices = NDArray[np.int64]
BEYOND = 1e30
"""A threshold that nothing is above."""


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
        splits: list[tuple[int, int, float]] = []
        values: list[float] = []
        for _ in range(self.rounds):
            shares = np.exp(odds - odds.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
            for k in range(classes):
                slope, bend = weight * (shares[:, k] - wanted[:, k]), weight * shares[:, k] * (1 - shares[:, k])
                grown, leaves, added = self._grow(codes, binned, edges, slope, bend)
                splits += grown
                values += leaves
                odds[:, k] += added
        split, feature, threshold = (np.array(column, np.float64) for column in zip(*splits, strict=True))
        return Trees(
            of=of,
            gives=gives,
            leaves=self.leaves,
            split=Floats(split),
            feature=Floats(feature),
            threshold=Floats(threshold),
            value=Floats(np.array(values)),
            start=Floats(np.zeros(classes)),
        )

    def _grow(
        self, codes: _Indices, binned: _Indices, edges: list[NDArray[np.float32]], slope: _Array, bend: _Array
    ) -> tuple[list[tuple[int, int, float]], list[float], _Array]:
        """A tree: leaf, feature and threshold of its splits, values of its leaves, and what it adds to each sample.

        The leaf whose split lowers the loss most is parted first. What no split lowers is parted by a threshold beyond all.
        """
        samples = [np.arange(len(codes))]
        best = [self._best(codes, slope, bend, samples[0])]
        splits: list[tuple[int, int, float]] = []
        while len(samples) < self.leaves:
            place = max(range(len(best)), key=lambda one: best[one].gain)
            split, here = best[place], samples[place]
            if split.gain <= 0:
                splits.append((0, 0, BEYOND))
                samples.append(here[:0])
                best.append(_Split(0.0, 0, 0))
                continue
            beyond = binned[here, split.feature] > split.bin
            splits.append((place, split.feature, float(edges[split.feature][split.bin])))
            samples[place] = here[~beyond]
            samples.append(here[beyond])
            best[place] = self._best(codes, slope, bend, samples[place])
            best.append(self._best(codes, slope, bend, samples[-1]))
        values, added = [], np.zeros(len(codes))
        for here in samples:
            values.append(float(np.float32(-self.rate * slope[here].sum() / (bend[here].sum() + self.ridge))))
            added[here] = values[-1]
        return splits, values, added

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
