"""Bad pixels: which ones a calibration must interpolate, by robust thresholds, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from thermo_core.robust import mad_sigma
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_host.calibrate.observation import Flags, Floats, Observation

DEAD_RESPONSE = 0.5
"""A pixel that shows less than this share of a change of the reference is dead."""
WILD_RESPONSE = 1.6
LARGEST_ERROR_K = 10.0
"""Decoded by its EEPROM, a good pixel is never further off than this."""
NOISY_RATIO = 2.0
NOISY_SIGMAS = 8.0
STUCK_SPREAD_K = 1e-6
QUIET_RATIO = 0.2


@dataclass(frozen=True, slots=True)
class BadPixel:
    """One pixel to interpolate.

    Attributes:
        row, column: place in the picture.
        kind: "broken" (said by the EEPROM), "stuck", "dead", "wild", "noisy" or "off".
        reason: with the figures that decided.
    """

    row: int
    column: int
    kind: str
    reason: str

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {"row": self.row, "column": self.column, "kind": self.kind, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class NoiseMap:
    """Noise equivalent temperature difference of one picture.

    Attributes:
        netd: (24, 32) float64, standard deviation over time, pooled over all set-points, K.
        median: over the pixels, K.
        centre: median of the inner 8 x 8 pixels, K.
        largest: K.
        pictures: how many went into each pixel.
    """

    netd: Floats
    median: float
    centre: float
    largest: float
    pictures: int


def noise_map(observations: Sequence[Observation]) -> NoiseMap:
    """Pool the noise of the set-points by their degrees of freedom."""
    weights = np.array([observation.pictures - 1 for observation in observations], np.float64)
    squares = np.stack([observation.noise**2 for observation in observations])
    netd = np.sqrt(np.tensordot(weights, squares, axes=1) / weights.sum())
    centre = netd[ROWS // 2 - 4 : ROWS // 2 + 4, COLUMNS // 2 - 4 : COLUMNS // 2 + 4]
    return NoiseMap(
        netd=netd,
        median=float(np.median(netd)),
        centre=float(np.median(centre)),
        largest=float(netd.max()),
        pictures=int(sum(observation.pictures for observation in observations)),
    )


def find_bad_pixels(observations: Sequence[Observation], noise: NoiseMap) -> tuple[BadPixel, ...]:
    """Judge every pixel from two set-points or more; the first reason that holds is kept.

    Noise is compared with the median of a pixel's 5 x 5 neighbours, because it grows towards the corners by nature, and
    with the spread of that ratio over the picture.
    """
    found: dict[tuple[int, int], BadPixel] = {}

    def mark(mask: Flags, kind: str, reason: str, *figures: Floats) -> None:
        for row, column in np.argwhere(mask):
            place = (int(row), int(column))
            text = reason.format(*(figure[place] for figure in figures))
            found.setdefault(place, BadPixel(*place, kind, text))

    valid = np.logical_and.reduce([observation.valid for observation in observations])
    mark(~valid, "broken", "marked as broken or outlier in the sensor's EEPROM")
    spread = np.max([observation.spread for observation in observations], axis=0)
    quiet = noise.netd < QUIET_RATIO * noise.median
    mark(spread <= STUCK_SPREAD_K, "stuck", "shows one value only ({0:.2f} degC)", observations[0].celsius)
    response = _response(observations)
    mark(
        quiet & (response < DEAD_RESPONSE),
        "stuck",
        "hardly moves: noise {0:.3f} K, response {1:.2f}",
        noise.netd,
        response,
    )
    mark(response < DEAD_RESPONSE, "dead", "follows the reference by {0:.2f} only (good: 1)", response)
    mark(response > WILD_RESPONSE, "wild", "follows the reference by {0:.2f} (good: 1)", response)
    local = median_filter(noise.netd, size=5, mode="nearest")
    ratio = noise.netd / np.maximum(local, 1e-9)
    sigma = float(mad_sigma(ratio))
    noisy = (ratio > NOISY_RATIO) & (ratio > 1.0 + NOISY_SIGMAS * sigma)
    mark(noisy, "noisy", "noise {0:.2f} K is {1:.1f} times that of its neighbours", noise.netd, ratio)
    error = np.max([np.abs(observation.celsius - observation.reference) for observation in observations], axis=0)
    mark(error > LARGEST_ERROR_K, "off", "shows {0:.1f} K beside the reference", error)
    return tuple(found[place] for place in sorted(found))


def bad_mask(pixels: Sequence[BadPixel]) -> Flags:
    """(24, 32) bool, True where a pixel is to be interpolated."""
    mask = np.zeros((ROWS, COLUMNS), np.bool_)
    for pixel in pixels:
        mask[pixel.row, pixel.column] = True
    return mask


def _response(observations: Sequence[Observation]) -> Floats:
    """(24, 32) slope of what a pixel shows over the reference."""
    truth = np.array([observation.reference for observation in observations])
    centred = truth - truth.mean()
    shown = np.stack([observation.celsius for observation in observations])
    power = float((centred**2).sum())
    if power == 0:
        return np.ones((ROWS, COLUMNS))
    response: Floats = np.tensordot(centred, shown, axes=1) / power
    # rounded as it is shown, and no negative zero
    return np.round(response, 2) + 0.0
