"""Matched filters: how well a spot of known shape can be told from a background of known covariance.

Both whiten by the covariance of healthy pictures plus that of noise (Van Trees 1968, section 2.6). One is told where and how
wide the lesion would be. The other has to look everywhere: it averages the likelihood ratio over all places, widths and
contrasts, which for a Gaussian background is the best anybody can do who is not told. Skin with vessels is not Gaussian, so
a network may do better than that one; it cannot hope for the one that is told.
"""

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_sim.bioheat import Tumour
from thermo_sim.scenes import WHOLE, Lesion
from thermo_sim.worn_patch import Lump, rise_of

Array = NDArray[np.float64]
ROWS, COLUMNS = range(3, 21), range(3, 29)
RADII = (1.75, 2.75, 3.75)
CONTRASTS_K = np.arange(0.4, 2.0, 0.2)


class MatchedFilters:
    """Filters for pictures of one number of averages.

    Args:
        healthy: (n, 24, 32) healthy pictures in K above the median, without noise.
        noise: (n, 24, 32) noise of one picture in K.
        averages: pictures that are averaged.
        shape: (768,) what a lesion of 1 K at a row and a column, of a size, adds.
        sizes: that are tried.
    """

    def __init__(
        self,
        healthy: NDArray[np.float32],
        noise: NDArray[np.float32],
        averages: int,
        shape: Callable[[float, float, float], Array] | None = None,
        sizes: tuple[float, ...] = RADII,
    ) -> None:
        flat = healthy.reshape(len(healthy), -1).astype(np.float64)
        self._mean = flat.mean(0)
        variance = np.square(noise, dtype=np.float64).mean(0).ravel() / averages
        covariance = np.cov(flat.T) + np.diag(variance)
        self._inverse = np.linalg.inv(covariance)
        self._templates = np.stack([(shape or template)(*place) for place in itertools.product(ROWS, COLUMNS, sizes)])
        self._energy = self._energy_of(self._templates)

    def anywhere(self, pictures: NDArray[np.float32]) -> Array:
        """(n,) logarithms of the likelihood ratio, averaged over place, width and contrast, of pictures (n, 24, 32)."""
        match = self._whitened(pictures) @ self._templates.T
        logs = np.stack([c * match - c * c / 2 * self._energy for c in CONTRASTS_K])
        largest = logs.max((0, 2))
        averaged: Array = largest + np.log(np.exp(logs - largest[None, :, None]).mean((0, 2)))
        return averaged

    def told(self, pictures: NDArray[np.float32], places: Array) -> Array:
        """(n,) matches of pictures (n, 24, 32) with the lesion that is or would be at (row, column, radius), places (n, 3)."""
        own = np.stack([template(*place) for place in places])
        match: Array = (self._whitened(pictures) * own).sum(1) / np.sqrt(self._energy_of(own))
        return match

    def _whitened(self, pictures: NDArray[np.float32]) -> Array:
        whitened: Array = (pictures.reshape(len(pictures), -1) - self._mean) @ self._inverse
        return whitened

    def _energy_of(self, templates: Array) -> Array:
        energy: Array = ((templates @ self._inverse) * templates).sum(1)
        return energy


def template(row: float, column: float, radius: float) -> Array:
    """(768,) what a lesion of 1 K adds to a picture whose median is taken away."""
    rise = Lesion(row, column, radius, 1.0).rise()
    return (rise - np.median(rise)).ravel()


def bioheat_template(row: float, column: float, depth_mm: float) -> Array:
    """(768,) what a lesion of this depth and 1 K adds to a picture whose median is taken away."""
    rise = rise_of(Lump(row, column, Tumour(depth_mm=depth_mm)), WHOLE)
    above: Array = (rise - np.median(rise)) / rise.max()
    return above.ravel()
