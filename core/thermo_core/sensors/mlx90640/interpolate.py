"""Filling pixels that have no valid value from their neighbours."""

import numpy as np

from thermo_core.errors import SensorError
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Celsius, Mask

_Step = tuple[int, int]
_OPPOSITES: tuple[tuple[tuple[_Step, _Step], ...], ...] = (
    (((-1, 0), (1, 0)), ((0, -1), (0, 1))),
    (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
)


def fill_invalid(celsius: Celsius, valid: Mask) -> None:
    """Overwrite every invalid pixel in place with what valid pixels around it suggest.

    That is the mean of opposite neighbours, straight ones before diagonal ones, which is exact on a gradient; at a
    border without such a pair the mean of any valid neighbours; without those the nearest valid pixels. A filled pixel
    never is the source of another.

    Args:
        celsius: (24, 32) float32, degC; changed.
        valid: (24, 32) bool.

    Raises:
        SensorError: no pixel is valid.
    """
    places = [divmod(pixel, COLUMNS) for pixel in np.flatnonzero(~valid).tolist()]
    if len(places) == valid.size:
        raise SensorError("No pixel of the picture is valid; take another, and read the EEPROM again if it stays so.")
    values = [_estimate(celsius, valid, row, column) for row, column in places]
    for place, value in zip(places, values, strict=True):
        celsius[place] = value


def _estimate(celsius: Celsius, valid: Mask, row: int, column: int) -> float:
    def value(step: _Step) -> float | None:
        y, x = row + step[0], column + step[1]
        return float(celsius[y, x]) if 0 <= y < ROWS and 0 <= x < COLUMNS and valid[y, x] else None

    around: list[float] = []
    for group in _OPPOSITES:
        pairs = [(value(first), value(second)) for first, second in group]
        whole = [(a + b) / 2 for a, b in pairs if a is not None and b is not None]
        if whole:
            return sum(whole) / len(whole)
        around += [one for pair in pairs for one in pair if one is not None]
    if around:
        return sum(around) / len(around)
    y, x = np.nonzero(valid)
    distance = (y - row) ** 2 + (x - column) ** 2
    nearest = distance == distance.min()
    return float(celsius[y[nearest], x[nearest]].mean())
