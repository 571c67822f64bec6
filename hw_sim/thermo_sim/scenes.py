"""What the simulated sensor looks at: maps of true temperature, (24, 32) degC, by time, each made from a seed.

Levels and contrasts follow the physiology of skin (32-35 degC, superficial vessels a few tenths of a kelvin warmer).
They exercise the product; they are no model of disease.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS

Map = NDArray[np.float64]

_ROW, _COLUMN = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float64)
_FINGER_ANGLE = 0.32 * np.arange(-2, 3)[:, None, None]
_FINGER_ROW, _FINGER_COLUMN = -np.cos(_FINGER_ANGLE), np.sin(_FINGER_ANGLE)


class Scene(Protocol):
    """Anything with true temperatures."""

    def celsius(self, time_s: float) -> Map:
        """True temperatures, (24, 32) degC, at a time in seconds; the caller does not write to the array."""
        ...


class Still:
    """A scene that does not change.

    Args:
        celsius: (24, 32) degC.

    Raises:
        UsageError: another shape, or a temperature that is not finite.
    """

    def __init__(self, celsius: NDArray[np.floating[Any]]) -> None:
        picture = np.array(celsius, dtype=np.float64)
        if picture.shape != (ROWS, COLUMNS) or not np.isfinite(picture).all():
            raise UsageError(f"A scene is a map of ({ROWS}, {COLUMNS}) finite temperatures, not of {picture.shape}.")
        picture.flags.writeable = False
        self._celsius = picture

    def celsius(self, time_s: float) -> Map:
        """The same map at any time."""
        return self._celsius


def blackbody(celsius: float, nonuniformity_k: float = 0.0, seed: int = 0) -> Still:
    """A blackbody that fills the field of view.

    Args:
        celsius: its mean temperature.
        nonuniformity_k: standard deviation of its smooth nonuniformity, kelvin.
        seed: of the nonuniformity.
    """
    picture = np.full((ROWS, COLUMNS), float(celsius))
    if nonuniformity_k:
        picture += nonuniformity_k * smooth_field(np.random.default_rng([seed, 0xBB]), 8.0)
    return Still(picture)


@dataclass(frozen=True, slots=True)
class Lesion:
    """A warm spot of Gaussian profile.

    Attributes:
        row: of its centre, in pixels.
        column: of its centre, in pixels.
        radius: at which the contrast has fallen to 61 %, in pixels.
        contrast_k: above the skin around it, kelvin.
    """

    row: float = 11.5
    column: float = 15.5
    radius: float = 3.0
    contrast_k: float = 1.0

    def rise(self) -> Map:
        """(24, 32) kelvin."""
        square = np.square(_ROW - self.row) + np.square(_COLUMN - self.column)
        rise: Map = self.contrast_k * np.exp(-square / (2 * self.radius**2))
        return rise


def skin(seed: int, mean_celsius: float = 33.5, field_k: float = 0.35, vessels: int = 4, vessel_k: float = 0.45) -> Map:
    """Bare skin: a smooth random field, a tilt, and vessels as warm ridges; (24, 32) degC.

    Args:
        seed: of everything random.
        mean_celsius: level before vessels.
        field_k: standard deviation of the smooth field, kelvin.
        vessels: how many.
        vessel_k: mean rise on a vessel's axis, kelvin.
    """
    rng = np.random.default_rng([seed, 0x5C1])
    picture = mean_celsius + field_k * smooth_field(rng, 7.0)
    picture += rng.normal(0, 0.25) * (_ROW / (ROWS - 1) - 0.5) + rng.normal(0, 0.25) * (_COLUMN / (COLUMNS - 1) - 0.5)
    for _ in range(vessels):
        picture += vessel_k * rng.uniform(0.5, 1.5) * _ridge(rng)
    return picture


def breast_patch(seed: int, lesion: Lesion | None = None, mean_celsius: float = 33.5) -> Still:
    """Skin under a patch, a little warmer in the middle where the patch insulates best, with or without a lesion."""
    dome = 0.4 * np.exp(-(np.square(_ROW - 11.5) / 200 + np.square(_COLUMN - 15.5) / 350))
    picture = skin(seed, mean_celsius) + dome
    return Still(picture if lesion is None else picture + lesion.rise())


class Hand:
    """A hand in front of a wall, drifting on a slow closed path.

    Args:
        seed: of the wall and the path.
        celsius: of the palm.
        wall_celsius: of the wall.
        period_s: of the path.
    """

    def __init__(self, seed: int, celsius: float = 33.5, wall_celsius: float = 24.0, period_s: float = 8.0) -> None:
        rng = np.random.default_rng([seed, 0x4A4D])
        self._wall = wall_celsius + 0.15 * smooth_field(rng, 9.0)
        self._rise = celsius - wall_celsius
        self._period_s = period_s
        self._phase = rng.uniform(0, 2 * np.pi)

    def celsius(self, time_s: float) -> Map:
        """The wall with the hand where it is at `time_s`."""
        angle = 2 * np.pi * time_s / self._period_s + self._phase
        row, column = 14 + 3 * np.sin(2 * angle), 15.5 + 8 * np.sin(angle)
        from_row, from_column = _ROW - row, _COLUMN - column
        # Distance to each finger's axis, which runs 10 pixels from the palm's middle along a direction of its own.
        along = np.clip(from_row * _FINGER_ROW + from_column * _FINGER_COLUMN, 0, 10)
        square = np.square(from_row - along * _FINGER_ROW) + np.square(from_column - along * _FINGER_COLUMN)
        palm = np.hypot(from_row / 1.1, from_column) - 4.5
        distance = np.minimum(palm, np.sqrt(square.min(axis=0)) - 0.9)
        # The optics blur edges over about a pixel.
        cover = 1 / (1 + np.exp(np.clip(2.5 * distance, -60, 60)))
        picture: Map = self._wall + self._rise * cover
        return picture


def smooth_field(rng: np.random.Generator, length: float) -> Map:
    """A random field of mean 0 and standard deviation 1, correlated over `length` pixels; (24, 32)."""
    spectrum = np.fft.rfft2(rng.standard_normal((2 * ROWS, 2 * COLUMNS)))
    row_rate = np.fft.fftfreq(2 * ROWS)[:, None]
    column_rate = np.fft.rfftfreq(2 * COLUMNS)[None, :]
    spectrum *= np.exp(-2 * (np.pi * length) ** 2 * (row_rate**2 + column_rate**2) / 4)
    field = np.fft.irfft2(spectrum, s=(2 * ROWS, 2 * COLUMNS))[:ROWS, :COLUMNS]
    field = field - field.mean()
    normal: Map = field / field.std()
    return normal


def _ridge(rng: np.random.Generator) -> Map:
    """A curved ridge of height 1 from one side of the picture to another; (24, 32)."""
    angle = rng.uniform(0, 2 * np.pi)
    middle = np.array([rng.uniform(4, ROWS - 5), rng.uniform(4, COLUMNS - 5)])
    way = np.array([np.sin(angle), np.cos(angle)]) * 24
    bend = np.array([way[1], -way[0]]) * rng.uniform(-0.35, 0.35)
    t = np.linspace(0, 1, 48)[:, None]
    line = (1 - t) ** 2 * (middle - way) + 2 * t * (1 - t) * (middle + bend) + t**2 * (middle + way)
    square = np.square(_ROW[..., None] - line[:, 0]) + np.square(_COLUMN[..., None] - line[:, 1])
    ridge: Map = np.exp(-square.min(axis=-1) / (2 * rng.uniform(0.7, 1.2) ** 2))
    return ridge


def _make_breast_patch(seed: int, options: Mapping[str, Any]) -> Scene:
    options = dict(options)
    lesion = options.pop("lesion", None)
    if lesion is not None:
        lesion = Lesion(**lesion)
    return breast_patch(seed, lesion, **options)


SCENES: Mapping[str, Callable[[int, Mapping[str, Any]], Scene]] = {
    "blackbody": lambda seed, options: blackbody(**{"seed": seed, **options}),
    "skin": lambda seed, options: Still(skin(seed, **options)),
    "breast-patch": _make_breast_patch,
    "hand": lambda seed, options: Hand(seed, **options),
}
"""Scenes by the name a profile gives them."""


def make_scene(name: str, seed: int, options: Mapping[str, Any] | None = None) -> Scene:
    """A scene by name, with its options as keyword arguments (`lesion` as a table of `Lesion`'s fields).

    Raises:
        UsageError: no such scene, or an option it does not have.
    """
    if name not in SCENES:
        raise UsageError(f"There is no scene '{name}'; use one of {', '.join(SCENES)}.")
    try:
        return SCENES[name](seed, options or {})
    except TypeError as error:
        raise UsageError(f"The scene '{name}' does not take these options ({error}); correct them.") from error
