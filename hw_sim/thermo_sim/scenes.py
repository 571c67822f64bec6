"""What simulated cameras look at: maps of true temperature, (24, 32) degC, by time and view, each made from a seed.

A scene has rows and columns of the size of a camera's pixels, and goes on beyond the picture of the one that looks straight at it;
what is random repeats itself after 48 rows and 64 columns. Levels and contrasts follow the physiology of skin (32-35 degC,
superficial vessels a few tenths of a kelvin warmer). They exercise the product; they are no model of disease.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.schema import Record
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS

Map = NDArray[np.float64]

_ROW, _COLUMN = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float64)
_MIDDLE_ROW, _MIDDLE_COLUMN = (ROWS - 1) / 2, (COLUMNS - 1) / 2
_FINGER_ANGLE = 0.32 * np.arange(-2, 3)[:, None, None]
_FINGER_ROW, _FINGER_COLUMN = -np.cos(_FINGER_ANGLE), np.sin(_FINGER_ANGLE)


class View(Record, frozen=True):
    """Where a camera looks.

    Attributes:
        row, column: of the scene, in the middle of the camera's picture, from the middle of the scene.
        turn_deg: by how much the camera is turned, clockwise.
        scale: pixels of the scene to a pixel of the camera.
    """

    row: Annotated[float, Meta(ge=-24, le=24)] = 0.0
    column: Annotated[float, Meta(ge=-32, le=32)] = 0.0
    turn_deg: Annotated[float, Meta(ge=-360, le=360)] = 0.0
    scale: Annotated[float, Meta(ge=0.1, le=10)] = 1.0

    def grid(self) -> "Grid":
        """Rows and columns of the scene that the camera's pixels look at, (24, 32) each."""
        if self == STRAIGHT:
            return WHOLE
        down, right = self.scale * (_ROW - _MIDDLE_ROW), self.scale * (_COLUMN - _MIDDLE_COLUMN)
        sine, cosine = np.sin(np.radians(self.turn_deg)), np.cos(np.radians(self.turn_deg))
        row = self.row + cosine * down + sine * right + _MIDDLE_ROW
        return row, self.column - sine * down + cosine * right + _MIDDLE_COLUMN


Grid = tuple[Map, Map]
STRAIGHT = View()
WHOLE: Grid = (_ROW, _COLUMN)


class Scene(Protocol):
    """Anything with true temperatures."""

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """True temperatures, (24, 32) degC, at a time in seconds, as a camera sees them; the caller does not write to the array."""
        ...


class Still:
    """A scene that does not change.

    Args:
        celsius: (24, 32) degC, as seen straight.
        of: the same of any grid; where left out, what lies beyond the picture is as its edge.

    Raises:
        UsageError: another shape, or a temperature that is not finite.
    """

    def __init__(self, celsius: NDArray[np.floating[Any]], of: Callable[[Grid], Map] | None = None) -> None:
        picture = np.array(celsius, dtype=np.float64)
        if picture.shape != (ROWS, COLUMNS) or not np.isfinite(picture).all():
            raise UsageError(f"A scene is a map of ({ROWS}, {COLUMNS}) finite temperatures, not of {picture.shape}.")
        self._of = of if of is not None else lambda grid: between(picture, *grid)
        self._seen = {STRAIGHT: picture}
        picture.flags.writeable = False

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """The same map at any time."""
        if view not in self._seen:
            self._seen[view] = self._of(view.grid())
        return self._seen[view]


def blackbody(celsius: float, nonuniformity_k: float = 0.0, seed: int = 0) -> Still:
    """A blackbody that fills the field of view.

    Args:
        celsius: its mean temperature.
        nonuniformity_k: standard deviation of its smooth nonuniformity, kelvin.
        seed: of the nonuniformity.
    """

    def of(grid: Grid) -> Map:
        picture = np.full((ROWS, COLUMNS), float(celsius))
        if nonuniformity_k:
            picture += nonuniformity_k * smooth_field(np.random.default_rng([seed, 0xBB]), 8.0, grid)
        return picture

    return Still(of(WHOLE), of)


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

    def rise(self, grid: Grid = WHOLE) -> Map:
        """(24, 32) kelvin."""
        square = np.square(grid[0] - self.row) + np.square(grid[1] - self.column)
        rise: Map = self.contrast_k * np.exp(-square / (2 * self.radius**2))
        return rise


def skin(
    seed: int,
    mean_celsius: float = 33.5,
    field_k: float = 0.35,
    vessels: int = 4,
    vessel_k: float = 0.45,
    grid: Grid = WHOLE,
) -> Map:
    """Bare skin: a smooth random field, a tilt, and vessels as warm ridges; (24, 32) degC.

    Args:
        seed: of everything random.
        mean_celsius: level before vessels.
        field_k: standard deviation of the smooth field, kelvin.
        vessels: how many.
        vessel_k: mean rise on a vessel's axis, kelvin.
        grid: what of it is looked at.
    """
    rng = np.random.default_rng([seed, 0x5C1])
    row, column = grid
    picture = mean_celsius + field_k * smooth_field(rng, 7.0, grid)
    picture += rng.normal(0, 0.25) * (row / (ROWS - 1) - 0.5) + rng.normal(0, 0.25) * (column / (COLUMNS - 1) - 0.5)
    for _ in range(vessels):
        picture += vessel_k * rng.uniform(0.5, 1.5) * ridge(rng, grid)
    return picture


def breast_patch(seed: int, lesion: Lesion | None = None, mean_celsius: float = 33.5) -> Still:
    """Skin under a patch, a little warmer in the middle where the patch insulates best, with or without a lesion."""

    def of(grid: Grid) -> Map:
        dome = 0.4 * np.exp(-(np.square(grid[0] - 11.5) / 200 + np.square(grid[1] - 15.5) / 350))
        picture: Map = skin(seed, mean_celsius, grid=grid) + dome
        return picture if lesion is None else picture + lesion.rise(grid)

    return Still(of(WHOLE), of)


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
        self._wall_celsius = wall_celsius
        self._field = _periodic_field(rng, 9.0)
        self._rise = celsius - wall_celsius
        self._period_s = period_s
        self._phase = rng.uniform(0, 2 * np.pi)

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """The wall with the hand where it is at `time_s`."""
        grid_row, grid_column = grid = view.grid()
        angle = 2 * np.pi * time_s / self._period_s + self._phase
        row, column = 14 + 3 * np.sin(2 * angle), 15.5 + 8 * np.sin(angle)
        from_row, from_column = grid_row - row, grid_column - column
        # Distance to each finger's axis, which runs 10 pixels from the palm's middle along a direction of its own.
        along = np.clip(from_row * _FINGER_ROW + from_column * _FINGER_COLUMN, 0, 10)
        square = np.square(from_row - along * _FINGER_ROW) + np.square(from_column - along * _FINGER_COLUMN)
        palm = np.hypot(from_row / 1.1, from_column) - 4.5
        distance = np.minimum(palm, np.sqrt(square.min(axis=0)) - 0.9)
        # The optics blur edges over about a pixel.
        cover = 1 / (1 + np.exp(np.clip(2.5 * distance, -60, 60)))
        picture: Map = self._wall_celsius + 0.15 * _on(self._field, grid) + self._rise * cover
        return picture


def smooth_field(rng: np.random.Generator, length: float, grid: Grid = WHOLE) -> Map:
    """A random field, correlated over `length` pixels, whose mean is 0 and standard deviation 1 where it is seen straight; (24, 32)."""
    return _on(_periodic_field(rng, length), grid)


def _periodic_field(rng: np.random.Generator, length: float) -> Map:
    """(48, 64), and again beyond."""
    spectrum = np.fft.rfft2(rng.standard_normal((2 * ROWS, 2 * COLUMNS)))
    row_rate = np.fft.fftfreq(2 * ROWS)[:, None]
    column_rate = np.fft.rfftfreq(2 * COLUMNS)[None, :]
    spectrum *= np.exp(-2 * (np.pi * length) ** 2 * (row_rate**2 + column_rate**2) / 4)
    field = np.fft.irfft2(spectrum, s=(2 * ROWS, 2 * COLUMNS))
    field = field - field[:ROWS, :COLUMNS].mean()
    normal: Map = field / field[:ROWS, :COLUMNS].std()
    return normal


def _on(field: Map, grid: Grid) -> Map:
    """What of a periodic field is looked at."""
    if grid is WHOLE:
        return field[:ROWS, :COLUMNS]
    rows, columns = field.shape
    return between(np.pad(field, ((0, 1), (0, 1)), mode="wrap"), grid[0] % rows, grid[1] % columns)


def between(picture: Map, row: Map, column: Map) -> Map:
    """A picture between its pixels, bilinear; beyond it as its edge."""
    row, column = np.clip(row, 0, picture.shape[0] - 1), np.clip(column, 0, picture.shape[1] - 1)
    top = np.minimum(row.astype(np.int64), picture.shape[0] - 2)
    left = np.minimum(column.astype(np.int64), picture.shape[1] - 2)
    down, right = row - top, column - left
    upper = (1 - right) * picture[top, left] + right * picture[top, left + 1]
    lower = (1 - right) * picture[top + 1, left] + right * picture[top + 1, left + 1]
    seen: Map = (1 - down) * upper + down * lower
    return seen


def ridge(rng: np.random.Generator, grid: Grid) -> Map:
    """A curved ridge of height 1 from one side of the picture to another; shape of the grid's arrays."""
    angle = rng.uniform(0, 2 * np.pi)
    middle = np.array([rng.uniform(4, ROWS - 5), rng.uniform(4, COLUMNS - 5)])
    way = np.array([np.sin(angle), np.cos(angle)]) * 24
    bend = np.array([way[1], -way[0]]) * rng.uniform(-0.35, 0.35)
    t = np.linspace(0, 1, 48)[:, None]
    line = (1 - t) ** 2 * (middle - way) + 2 * t * (1 - t) * (middle + bend) + t**2 * (middle + way)
    square = np.square(grid[0][..., None] - line[:, 0]) + np.square(grid[1][..., None] - line[:, 1])
    ridge: Map = np.exp(-square.min(axis=-1) / (2 * rng.uniform(0.7, 1.2) ** 2))
    return ridge
