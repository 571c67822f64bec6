"""Skin of one person in layers that change apart from each other, from two generators that share no line.

What is learnt from is skin of `ridges`; what is judged on is skin of `branches`: its field has a power law of wavelengths instead of
one length, its vessels are trees that fork, whose profiles are those of heat lines at a depth (`bioheat.line_profile`) instead of
bells, and it has an areola. Contrasts of both follow the same figures: superficial vessels a few tenths of a kelvin above skin that
is uneven by 0.2 to 0.5 K.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_sim import bioheat
from thermo_sim.scenes import WHOLE, Grid, Map, between, ridge, smooth_field

ROWS, COLUMNS = WHOLE[0].shape
PITCH_MM = 2.0
"""Of a camera's pixels on the skin, a hand's breadth under the camera."""
FINE = 3
"""Places along a pixel at which layers are kept."""
MARGIN = 6
"""Pixels that they reach beyond the picture."""
WANDERS = 3
_ROWS, _COLUMNS = np.meshgrid(
    np.arange((ROWS + 2 * MARGIN - 1) * FINE + 1) / FINE - MARGIN,
    np.arange((COLUMNS + 2 * MARGIN - 1) * FINE + 1) / FINE - MARGIN,
    indexing="ij",
)
PLACES: Grid = (_ROWS, _COLUMNS)
"""Where layers are kept, in pixels of the scene."""


@dataclass(frozen=True, slots=True)
class Skin:
    """Layers of K above the skin's level, each at `PLACES`.

    Attributes:
        field: what is there in any case: unevenness, folds, an areola.
        vessels: (v, ...) each vessel or tree of vessels by itself.
        wander: (WANDERS, ...) smooth fields of SD 1, by which skin changes from hour to hour.
    """

    field: Map
    vessels: NDArray[np.float64]
    wander: NDArray[np.float64]

    def seen(self, grid: Grid, contrast: float, vessels: NDArray[np.float64], wander: NDArray[np.float64]) -> Map:
        """K above the skin's level where a grid looks, the layers added up.

        Args:
            grid: rows and columns of the scene.
            contrast: factor of field and vessels, as the skin's own temperature gives it.
            vessels: (v,) factor of each.
            wander: (WANDERS,) K of each.
        """
        whole = contrast * (self.field + np.tensordot(vessels, self.vessels, 1)) + np.tensordot(wander, self.wander, 1)
        return at(whole, grid)


def at(layer: Map, grid: Grid) -> Map:
    """A layer where a grid looks; beyond it as its edge."""
    return between(layer, (grid[0] + MARGIN) * FINE, (grid[1] + MARGIN) * FINE)


def ridges(seed: int) -> Skin:
    """Skin whose field is correlated over one length and whose vessels are bent bells from side to side."""
    rng = np.random.default_rng([seed, 0x51D6])
    field = rng.uniform(0.2, 0.5) * smooth_field(rng, rng.uniform(5.0, 9.0), PLACES)
    field = (
        field
        + rng.normal(0, 0.25) * (_ROWS / (ROWS - 1) - 0.5)
        + rng.normal(0, 0.25) * (_COLUMNS / (COLUMNS - 1) - 0.5)
    )
    field += rng.uniform(0.2, 0.6) * np.exp(-(np.square(_ROWS - 11.5) / 200 + np.square(_COLUMNS - 15.5) / 350))
    if rng.random() < 0.4:
        field += rng.uniform(-0.6, 0.6) * _wide(ridge(rng, PLACES))
    vessels = [rng.uniform(0.2, 0.7) * ridge(rng, PLACES) for _ in range(rng.integers(2, 7))]
    return Skin(
        field, np.stack(vessels), np.stack([smooth_field(rng, rng.uniform(5, 12), PLACES) for _ in range(WANDERS)])
    )


def branches(seed: int) -> Skin:
    """Skin whose field has all wavelengths and whose vessels are trees that fork, at depths of their own."""
    rng = np.random.default_rng([seed, 0xB4A9])
    field = rng.uniform(0.2, 0.5) * _power_law(rng)
    if rng.random() < 0.5:
        from_middle = np.hypot(_ROWS - rng.uniform(0, ROWS), _COLUMNS - rng.uniform(0, COLUMNS))
        field += rng.uniform(-0.5, 0.4) * 0.5 * (1 - np.tanh((from_middle - rng.uniform(4, 9)) / rng.uniform(0.7, 2)))
    if rng.random() < 0.4:
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-8, 8)
        across = np.sin(angle) * (_ROWS - 11.5) + np.cos(angle) * (_COLUMNS - 15.5) - place
        field += rng.uniform(-0.6, 0.6) * np.exp(-np.abs(across) / rng.uniform(1.5, 4))
    trees = [rng.uniform(0.2, 0.7) * _tree(rng) for _ in range(rng.integers(1, 5))]
    return Skin(field, np.stack(trees), np.stack([_power_law(rng) for _ in range(WANDERS)]))


SKINS: Mapping[str, Callable[[int], Skin]] = {"ridges": ridges, "branches": branches}
"""Generators by name."""


def _wide(bell: Map) -> Map:
    """A fold: a ridge drawn out to both sides."""
    return np.cbrt(bell)


def _power_law(rng: np.random.Generator) -> Map:
    """A field of mean 0 and SD 1 in the picture: cosines whose amplitude grows with their wavelength of 8 to 80 pixels."""
    count = 48
    wavelength, angle = np.exp(rng.uniform(np.log(8), np.log(80), count)), rng.uniform(0, 2 * np.pi, count)
    size, phase = wavelength ** rng.uniform(0.3, 0.9) * rng.normal(size=count), rng.uniform(0, 2 * np.pi, count)
    down, across = np.sin(angle) / wavelength, np.cos(angle) / wavelength
    turns = _ROWS[..., None] * down + _COLUMNS[..., None] * across
    field = np.cos(2 * np.pi * turns + phase) @ size
    inside = field[MARGIN * FINE : -MARGIN * FINE, MARGIN * FINE : -MARGIN * FINE]
    normal: Map = (field - inside.mean()) / inside.std()
    return normal


def _tree(rng: np.random.Generator) -> Map:
    """A vessel that comes in from a side, turns by chance and forks; 1 on its trunk."""
    tissue = bioheat.Tissue()
    layer = np.zeros_like(_ROWS)
    angle = rng.uniform(0, 2 * np.pi)
    start = np.array([11.5 - 20 * np.sin(angle), 15.5 - 24 * np.cos(angle)])
    open_ends = [(start, angle + rng.normal(0, 0.3), 1.0, rng.uniform(1.5, 4.0))]
    for _ in range(7):
        if not open_ends:
            break
        place, way, size, depth_mm = open_ends.pop(0)
        steps = int(rng.integers(12, 36))
        ways = way + np.cumsum(rng.normal(0, 0.1, steps)) + rng.normal(0, 0.01) * np.arange(steps)
        line = place + np.cumsum(np.stack([np.sin(ways), np.cos(ways)], 1), axis=0)
        square = np.full(_ROWS.shape, np.inf)
        for row, column in line:
            np.minimum(square, np.square(_ROWS - row) + np.square(_COLUMNS - column), out=square)
        layer = np.maximum(layer, size * bioheat.line_profile(depth_mm, tissue, PITCH_MM * np.sqrt(square)))
        for turn in (rng.uniform(0.2, 0.7), -rng.uniform(0.2, 0.7)):
            if rng.random() < 0.7:
                open_ends.append(
                    (line[-1], ways[-1] + turn, size * rng.uniform(0.5, 0.9), depth_mm * rng.uniform(0.8, 1.3))
                )
    return layer
