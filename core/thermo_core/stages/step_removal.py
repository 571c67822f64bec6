"""step_removal: a window's curves without the steps that a change of contact puts into them."""

from functools import cache
from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

HALF = 8
"""Rows on each side that tell the size of a step."""
DEGREE = 3
"""Of the polynomial through both sides, which a curve may follow without being taken for a step."""
MOST = 6
"""Steps that are removed of a column."""
MEDIAN = np.float32(1.4826022 / np.sqrt(6.0))
"""Standard deviation of white noise whose second differences have a median size of 1."""
_ZERO = np.float32(0)


class StepRemoval(OneInput, frozen=True, tag="step_removal"):
    """The window with the steps of each of its columns taken away, the largest first, so that all stays on the level of its first rows.

    A step is what a cubic through eight rows before and eight after it leaves unexplained: by least squares of both together with
    the height of a jump between them (Savitzky & Golay 1964). It is one where it is more than `limit` standard deviations of what
    the column's noise does to that height; the noise comes from the median of second differences. At most six of a column go.

    Rows without a value stay without one, and no step is looked for within eight rows of them.

    Attributes:
        limit: least height, in standard deviations.
        least: least height, in the signal's unit.
        first: row before which none is looked for, since a fast curve is as steep; 8 where it is less.
    """

    limit: Annotated[float, Meta(gt=0, le=1e3)] = 5.0
    least: Annotated[float, Meta(gt=0, le=1e6)] = 0.05
    first: Annotated[int, Meta(ge=0, le=4096)] = 12


@cache
def taps() -> Values:
    """(2 HALF,) what rows around a place are multiplied by to give the height of a step there."""
    x = (np.arange(-HALF, HALF) + 0.5) / HALF
    basis = np.stack([*(x**k for k in range(DEGREE + 1)), (x > 0).astype(np.float64)], axis=1)
    return np.asarray(np.linalg.pinv(basis)[-1], np.float32)


def threshold(stage: StepRemoval) -> np.float32:
    """Least height for a median size of second differences of 1."""
    return np.float32(stage.limit * float(MEDIAN) * float(np.sqrt(np.sum(taps().astype(np.float64) ** 2))))


def first(stage: StepRemoval) -> int:
    """Row before which no step is looked for."""
    return max(stage.first, HALF)


def _result(stage: StepRemoval, inputs: Signals) -> Signal:
    """As the window that it takes, which has 8 rows or more after the first in which a step is looked for."""
    (signal,) = inputs
    least = first(stage) + HALF
    if not signal.spacing_s or len(signal.shape) > 2 or signal.shape[0] < least:
        raise stage.fail(
            f'takes a window of {least} rows or more of numbers in a row; "{signal.name}" has the shape {list(signal.shape)}'
        )
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: StepRemoval, inputs: Signals, values: Arrays) -> Values:
    taken = values[0]
    rows = taken.shape[1]
    columns = np.moveaxis(taken.reshape(len(taken), rows, -1), 1, 2).reshape(-1, rows).copy()
    with np.errstate(invalid="ignore"):
        bends = np.abs(columns[:, 2:] - columns[:, 1:-1] - (columns[:, 1:-1] - columns[:, :-2]))
        least = float32.median(bends) * threshold(stage)
        least = np.where(least > np.float32(stage.least), least, np.float32(stage.least))
        left = np.arange(len(columns))
        for _ in range(MOST):
            heights = _heights(columns[left], first(stage))
            sizes = np.where(np.isnan(heights), _ZERO, np.abs(heights))
            places = sizes.argmax(1)
            found = sizes[np.arange(len(left)), places] > least[left]
            height = heights[found, places[found]]
            left, at = left[found], first(stage) + places[found]
            after = np.arange(rows) >= at[:, np.newaxis]
            columns[left] = np.where(after, columns[left] - height[:, np.newaxis], columns[left])
    return np.asarray(np.moveaxis(columns.reshape(len(taken), -1, rows), 1, 2).reshape(taken.shape), np.float32)


def _heights(columns: Values, begin: int) -> Values:
    """(n, places) of a step before each row from `begin` on."""
    rows = columns.shape[1]
    places = max(rows - HALF + 1 - begin, 0)
    heights = np.zeros((len(columns), places), np.float32)
    for tap, weight in enumerate(taps()):
        start = begin - HALF + tap
        heights = heights + weight * columns[:, start : start + places]
    return heights


OP = Elementwise(
    StepRemoval,
    _result,
    _apply,
    "float32; heights are sums in the order of rows, each product rounded; the first of equal heights; the median of second "
    "differences (x[i + 2] - x[i + 1]) - (x[i + 1] - x[i]).",
)
