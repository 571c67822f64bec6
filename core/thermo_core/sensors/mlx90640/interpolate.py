"""Filling pixels that have no valid value from their neighbours."""

import numpy as np

from thermo_core.errors import SensorError
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Celsius, Mask

_Step = tuple[int, int]
_OPPOSITES: tuple[tuple[tuple[_Step, _Step], ...], ...] = (
    (((-1, 0), (1, 0)), ((0, -1), (0, 1))),
    (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
)


class Filling:
    """What every invalid pixel is filled with, for pictures of the same valid ones.

    That is the mean of opposite neighbours, straight ones before diagonal ones, which is exact on a gradient; at a
    border without such a pair the mean of any valid neighbours; without those the nearest valid pixels. A filled pixel
    never is the source of another.

    Args:
        valid: (24, 32) bool.

    Raises:
        SensorError: no pixel is valid.
    """

    def __init__(self, valid: Mask) -> None:
        places = [divmod(pixel, COLUMNS) for pixel in np.flatnonzero(~valid).tolist()]
        if len(places) == valid.size:
            raise SensorError(
                "No pixel of the picture is valid; take another, and read the EEPROM again if it stays so."
            )
        alike: dict[int, list[tuple[int, list[int]]]] = {}
        for row, column in places:
            sources = _sources(valid, row, column)
            alike.setdefault(len(sources), []).append((row * COLUMNS + column, sources))
        self._steps = [
            (np.array([place for place, _ in those]), np.array([sources for _, sources in those]).T)
            for those in alike.values()
        ]

    def apply(self, celsius: Celsius) -> None:
        """Overwrite the invalid pixels of (..., 24, 32) float32, contiguous, in place."""
        flat = celsius.reshape(-1, ROWS * COLUMNS)
        for places, sources in self._steps:
            total = np.zeros((len(flat), len(places)))
            for source in sources:
                total += flat[:, source]
            flat[:, places] = total / len(sources)


def fill_invalid(celsius: Celsius, valid: Mask) -> None:
    """Overwrite every invalid pixel in place with what valid pixels around it suggest, as `Filling` says.

    Args:
        celsius: (24, 32) float32, degC; changed.
        valid: (24, 32) bool.

    Raises:
        SensorError: no pixel is valid.
    """
    Filling(valid).apply(celsius)


def _sources(valid: Mask, row: int, column: int) -> list[int]:
    """Places of the pixels whose mean it is."""

    def there(step: _Step) -> bool:
        y, x = row + step[0], column + step[1]
        return 0 <= y < ROWS and 0 <= x < COLUMNS and bool(valid[y, x])

    around: list[_Step] = []
    for group in _OPPOSITES:
        whole = [step for pair in group if all(map(there, pair)) for step in pair]
        if whole:
            return [_place(row, column, step) for step in whole]
        around += [step for pair in group for step in pair if there(step)]
    if around:
        return [_place(row, column, step) for step in around]
    y, x = np.nonzero(valid)
    distance = (y - row) ** 2 + (x - column) ** 2
    nearest = distance == distance.min()
    places: list[int] = (y[nearest] * COLUMNS + x[nearest]).tolist()
    return places


def _place(row: int, column: int, step: _Step) -> int:
    return (row + step[0]) * COLUMNS + column + step[1]
