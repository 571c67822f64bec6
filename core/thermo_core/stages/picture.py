"""What stages on pictures share: which signals are pictures, and what lies beside a pixel."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Stage

MAX_PIXELS = 65_535
KELVIN_UNITS = ("degC", "K")


def picture(stage: Stage, signal: Signal) -> tuple[int, int]:
    """Rows and columns of a picture. Raises StageError where the signal is none."""
    if len(signal.shape) != 2 or signal.spacing_s:
        raise stage.fail(
            f'takes a picture, rows x columns; "{signal.name}" '
            + ("is a window of time" if signal.spacing_s else f"has the shape {list(signal.shape)}")
        )
    rows, columns = signal.shape
    if rows < 2 or columns < 2 or rows * columns > MAX_PIXELS:
        raise stage.fail(
            f'takes a picture of 2 x 2 to {MAX_PIXELS} pixels in all; "{signal.name}" is {rows} x {columns}'
        )
    return rows, columns


def difference_unit(unit: str) -> str:
    """Unit of a difference of two values: kelvin for temperatures."""
    return "K" if unit == "degC" else unit


def check_kelvin(stage: Stage, signal: Signal) -> None:
    """Raise StageError where a signal's differences are not in kelvin."""
    if signal.unit not in KELVIN_UNITS:
        raise stage.fail(
            f'needs kelvin, and "{signal.name}" is {f"in {signal.unit}" if signal.unit else "without a unit"}; '
            "put it on a signal in degC or K"
        )


def padded(values: Values, radius: int = 1) -> Values:
    """(n, rows + 2 radius, columns + 2 radius): the pixels at the edge repeated beyond it."""
    return np.pad(values, ((0, 0), (radius, radius), (radius, radius)), mode="edge")


def around(values: Values, radius: int = 1) -> Iterator[tuple[int, int, Values]]:
    """Row offset, column offset, and (n, rows, columns) of the pixels there, row by row; edges repeated."""
    rows, columns = values.shape[1:]
    wide = padded(values, radius)
    for row in range(2 * radius + 1):
        for column in range(2 * radius + 1):
            yield row - radius, column - radius, wide[:, row : row + rows, column : column + columns]


def gradients(x: Values) -> tuple[Values, Values]:
    """(n, rows, columns) eight times the slopes along rows and down columns, after Sobel."""
    wide = padded(x)
    above, here, below = wide[:, :-2], wide[:, 1:-1], wide[:, 2:]
    summed, apart = (above + here) + (here + below), below - above
    along = summed[:, :, 2:] - summed[:, :, :-2]
    pairs = apart[:, :, :-1] + apart[:, :, 1:]
    down = pairs[:, :, :-1] + pairs[:, :, 1:]
    return along, down


def components(mask: NDArray[np.bool_], diagonal: bool) -> NDArray[np.int64]:
    """(n, rows, columns) for each pixel of a mask the least place (row by row) that is connected with it; -1 elsewhere.

    Args:
        mask: (n, rows, columns).
        diagonal: whether pixels that touch at a corner are connected.
    """
    count, rows, columns = mask.shape
    outside = rows * columns
    labels = np.where(mask, np.arange(outside).reshape(rows, columns), outside)
    while True:
        wide = np.pad(labels, ((0, 0), (1, 1), (1, 1)), constant_values=outside)
        least = labels
        for row in range(3):
            for column in range(3):
                if diagonal or row == 1 or column == 1:
                    least = np.minimum(least, wide[:, row : row + rows, column : column + columns])
        least = np.where(mask, least, outside).reshape(count, -1)
        # A label is a place within its own component: what that place has found holds for all that point there.
        along = np.append(least, np.full((count, 1), outside), axis=1)
        least = np.take_along_axis(along, least, axis=1).reshape(labels.shape)
        if (least == labels).all():
            return np.where(mask, labels, -1)
        labels = least


def places_counted(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """(n, length) how often each of 0 to `length` - 1 stands in a row of (n, m); what is below 0 is not counted."""
    count = len(places)
    rows = np.broadcast_to(np.arange(count)[:, np.newaxis], places.shape)
    usable = places >= 0
    flat = np.bincount(rows[usable] * length + places[usable], minlength=count * length)
    return flat.reshape(count, length)


def level_factors(low: float, high: float, levels: int) -> tuple[np.float32, int]:
    """1 over the step between levels, and the number of steps at `low`."""
    inverse = np.float32((levels - 1) / (high - low))
    return inverse, int(np.rint(np.float32(low) * inverse))


def check_levels(stage: Stage, low: float, high: float, levels: int) -> None:
    """Raise StageError where levels from `low` to `high` cannot be told apart."""
    if not low < high:
        raise stage.fail(f"goes from {low:g} to {high:g}; give a high above low")
    if max(abs(low), abs(high)) * (levels - 1) > (high - low) * (1 << 20):
        raise stage.fail(f"has steps that float32 cannot tell apart near {high:g}; take fewer levels")


def leveled(values: Values, low: float, high: float, levels: int) -> NDArray[np.int64]:
    """Level of each value, 0 to `levels` - 1, what is beyond at the ends; -1 of no value."""
    inverse, first = level_factors(low, high, levels)
    missing = np.isnan(values)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.where(missing, np.float32(0), values) * inverse
    steps = np.rint(np.clip(steps, np.float32(first - 1), np.float32(first + levels)))
    found = np.clip(steps.astype(np.int64) - first, 0, levels - 1)
    return np.where(missing, -1, found)
