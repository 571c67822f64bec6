"""resize: a picture of more or fewer pixels."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import MAX_PIXELS, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Length = Annotated[int, Meta(ge=1, le=4096)]


class Resize(OneInput, frozen=True, tag="resize"):
    """A picture brought to other numbers of rows and columns, its corners staying where they are.

    "area" gives the mean of what a new pixel covers, which is what a coarser sensor would see; "bilinear" goes evenly from the
    middle of one pixel to that of the next. Pixels without a value do not count; a new pixel has no value where none of those it
    rests on has.

    Attributes:
        rows: of the result.
        columns: of the result.
        by: "bilinear", or "area", which makes no picture larger.
    """

    rows: _Length
    columns: _Length
    by: Literal["bilinear", "area"] = "bilinear"


@dataclass(frozen=True, slots=True)
class Taps:
    """What new places along one axis rest on.

    Attributes:
        first: of each, the first old place.
        count: how many from there.
        weights: of these, one place after another; of one place they add up to 1.
    """

    first: tuple[int, ...]
    count: tuple[int, ...]
    weights: NDArray[np.float32]


def taps(old: int, new: int, by: str) -> Taps:
    """Those of an axis of `old` places that becomes one of `new`."""
    first, count, weights = [], [], []
    step = old / new
    for place in range(new):
        if by == "area":
            begin, end = place * old, (place + 1) * old  # in parts of 1 / new
            low, high = begin // new, -(-end // new)
            shares = [(min(end, (at + 1) * new) - max(begin, at * new)) / old for at in range(low, high)]
        else:
            at = min(max((place + 0.5) * step - 0.5, 0.0), old - 1.0)
            low = math.floor(at)
            shares = [1 - (at - low), at - low] if at > low else [1.0]
        first.append(low)
        count.append(len(shares))
        weights += shares
    return Taps(tuple(first), tuple(count), np.array(weights, np.float32))


def _result(stage: Resize, inputs: Signals) -> Signal:
    """`rows` x `columns`; takes a picture."""
    (signal,) = inputs
    rows, columns = picture(stage, signal)
    if stage.rows * stage.columns > MAX_PIXELS:
        raise stage.fail(f"would have {stage.rows * stage.columns} pixels and may have {MAX_PIXELS}; make it smaller")
    if stage.by == "area" and (stage.rows > rows or stage.columns > columns):
        raise stage.fail(
            f'makes {stage.rows} x {stage.columns} of {rows} x {columns} pixels, which is larger; say by = "bilinear"'
        )
    return Signal(stage.gives, (stage.rows, stage.columns), signal.unit, signal.rate_hz, signal.clock)


_Step = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


@lru_cache(256)
def _steps(old: int, new: int, by: str) -> tuple[_Step, ...]:
    """By number of the tap: new places that have so many, the old place of each, its weight; of axes as `taps` takes."""
    found = taps(old, new, by)
    first, count = np.array(found.first), np.array(found.count)
    starts = np.cumsum(count) - count
    return tuple(
        (places, first[places] + number, found.weights[starts[places] + number])
        for number in range(int(count.max()))
        for places in [np.flatnonzero(count > number)]
    )


def _apply(stage: Resize, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    rows, columns = x.shape[1:]
    down, along = _steps(rows, stage.rows, stage.by), _steps(columns, stage.columns, stage.by)
    line = np.zeros((len(x), rows, stage.columns), np.float32)
    for places, old, weights in along:
        line[:, :, places] += x[:, :, old] * weights
    made = np.zeros((len(x), stage.rows, stage.columns), np.float32)
    for places, old, weights in down:
        made[:, places] += line[:, old] * weights[:, np.newaxis]
    broken = np.isnan(made)
    return np.where(broken, _mended(x, stage, down, along), made) if broken.any() else made


def _mended(x: Values, stage: Resize, down: tuple[_Step, ...], along: tuple[_Step, ...]) -> Values:
    """The weighed mean of those that have a value."""
    total = np.zeros((len(x), stage.rows, stage.columns), np.float32)
    weight = np.zeros_like(total)
    for to_rows, of_rows, row_weights in down:
        for to_columns, of_columns, column_weights in along:
            here, share = x[:, of_rows][:, :, of_columns], row_weights[:, np.newaxis] * column_weights
            known = ~np.isnan(here)
            to = np.ix_(np.arange(len(x)), to_rows, to_columns)
            total[to] += np.where(known, here * share, np.float32(0))
            weight[to] += np.where(known, share, np.float32(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / weight, np.float32)


OP = Elementwise(
    Resize,
    _result,
    _apply,
    "float32 weights of rows and of columns; a row's sum of value * weight in the order of columns, then the sum of these sums * weight in "
    "the order of rows. Where that gives NaN: the sum of value * (row's weight * column's weight) over the sum of these weights, row by "
    "row over those that have a value.",
)
